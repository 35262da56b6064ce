import type { EntityDetail, EntityGroup, EntityKind, EntityNode, Overview, Window } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { readLaneRows, laneOfRow } from '../lanes/rows.ts';
import { rowsSince, windowScope } from '../ledger/scope.ts';
import { trendOf } from '../ledger/trend.ts';
import type { TrendRow } from '../ledger/trend.ts';
import { instantOf, isLive, isOfDays } from '../ledger/window.ts';
import { BOUNDED_SQL, readWithin } from '../ledger/bounded.ts';
import { readEver } from './ever.ts';
import { kindSql, otherKinds } from './kinds.ts';
import { unknownLanesSql } from './list.ts';

/** Values shown per group; the counts beside them are complete. */
const NODES_MAX = 20;

interface NodeRow {
  value: string;
  events: number | string;
  cost: string;
  first: number | string;
  last: number | string;
}

const NODE_SQL = `sum(ledger.calls) AS events, toString(sum(ledger.cost_usd)) AS cost,
  toUnixTimestamp64Milli(min(ledger.seen_at)) AS first, toUnixTimestamp64Milli(max(ledger.seen_at)) AS last`;

const nodeOf = (row: NodeRow): EntityNode => ({
  value: row.value,
  events: Number(row.events),
  cost_usd: row.cost,
  first_seen: instantOf(Number(row.first)),
  last_seen: instantOf(Number(row.last)),
});

interface Scope {
  kind: EntityKind;
  value: string;
  fromMs: number;
  window: Window;
  nowMs: number;
}

/** Rows of the value in the window, as SQL, and its parameters. */
function rowsOf({ kind, value, fromMs }: Scope): { where: string; parameters: Record<string, unknown> } {
  const since = rowsSince(fromMs, 'since', 'ledger.');
  return {
    where: `${kindSql(kind).isOneOf('values')} AND ${since.where}`,
    parameters: { ...since.parameters, values: [value] },
  };
}

async function readGroup(store: ClickHouse, scope: Scope, kind: EntityKind): Promise<EntityNode[]> {
  const { where, parameters } = rowsOf(scope);
  const rows = await store.rows<NodeRow>(
    `SELECT ${kindSql(kind).value} AS value, ${NODE_SQL} FROM ${store.database}.ledger AS ledger WHERE ${where}
     GROUP BY value ORDER BY last DESC, value LIMIT ${NODES_MAX} ${BOUNDED_SQL}`,
    parameters,
  );
  return rows.map(nodeOf);
}

interface SumsRow {
  event_count: number | string;
  failed_count: number | string;
  spent: string;
  key_count: number | string;
  unknown_count: number | string;
  totals: (number | string)[];
  last_ms: number | string;
}

async function readSums(store: ClickHouse, scope: Scope): Promise<SumsRow> {
  const { where, parameters } = rowsOf(scope);
  const unknownLanes = unknownLanesSql(store.database, scope.window, scope.nowMs);
  const totals = otherKinds(scope.kind).map(
    (kind) => `uniqExactIf(${kindSql(kind).value}, ${kindSql(kind).value} != '')`,
  );
  const [sums] = await store.rows<SumsRow>(
    `SELECT sum(ledger.calls) AS event_count, sumIf(ledger.calls, ledger.outcome NOT IN ('success', '')) AS failed_count,
       toString(sum(ledger.cost_usd)) AS spent, uniqExactIf(ledger.lane, ledger.lane != 'unattributed') AS key_count,
       uniqExactIf(ledger.lane, ledger.lane IN (${unknownLanes})) AS unknown_count, [${totals.join(', ')}] AS totals,
       toUnixTimestamp64Milli(max(ledger.seen_at)) AS last_ms
     FROM ${store.database}.ledger AS ledger WHERE ${where} ${BOUNDED_SQL}`,
    { ...parameters, ...windowScope(scope.window, scope.nowMs).parameters, now: scope.nowMs },
  );
  if (sums === undefined) throw new Error('an aggregate without groups has one row');
  return sums;
}

/** The keys a value used, newest first, each as it stands now and with what its posture says of it in the window. */
async function readLanes(store: ClickHouse, scope: Scope): Promise<EntityDetail['lanes']> {
  const { where, parameters } = rowsOf(scope);
  const used = await store.rows<NodeRow>(
    `SELECT ledger.lane AS value, ${NODE_SQL} FROM ${store.database}.ledger AS ledger WHERE ${where} AND ledger.lane != 'unattributed'
     GROUP BY value ORDER BY last DESC, value LIMIT ${NODES_MAX} ${BOUNDED_SQL}`,
    parameters,
  );
  const lanes = used.map(({ value }) => value);
  const rows = await readLaneRows(store, lanes, windowScope(scope.window, scope.nowMs), scope.nowMs);
  return used.flatMap((node) => {
    const row = rows.get(node.value);
    if (row === undefined) return [];
    const { lane, hint, standing, org, posture } = laneOfRow(row, 0, scope.window);
    const { value: _value, ...counts } = nodeOf(node);
    return [{ lane, hint, standing, org, posture, ...counts }];
  });
}

async function readValueTrend(store: ClickHouse, scope: Scope): Promise<Overview['trend']> {
  const { where, parameters } = rowsOf(scope);
  const piece = isOfDays(scope.window) ? 'toStartOfDay' : 'toStartOfMinute';
  const rows = await store.rows<TrendRow>(
    `SELECT toUnixTimestamp(${piece}(ledger.seen_at, 'UTC')) AS start, toString(ledger.standing) AS standing,
       sum(ledger.calls) AS events, toString(sum(ledger.cost_usd)) AS cost
     FROM ${store.database}.ledger AS ledger WHERE ${where} GROUP BY start, standing ${BOUNDED_SQL}`,
    parameters,
  );
  return trendOf(rows, scope.window, scope.nowMs);
}

/** One value with the four groups around it; null where no event ever had it. */
export async function readEntity(
  store: ClickHouse,
  kind: EntityKind,
  value: string,
  window: Window,
  nowMs: number,
): Promise<EntityDetail | null> {
  const ever = await readEver(store, kind, value);
  if (ever === null) return null;
  const others = otherKinds(kind);
  const { result, fromMs, isComplete } = await readWithin(window, nowMs, async (countedMs, counted) => {
    const scope = { kind, value, fromMs: countedMs, window: counted, nowMs };
    const [sums, lanes, trend, ...groups] = await Promise.all([
      readSums(store, scope),
      readLanes(store, scope),
      readValueTrend(store, scope),
      ...others.map((other) => readGroup(store, scope, other)),
    ]);
    return { sums, lanes, trend, groups };
  });
  const { sums, lanes, trend, groups } = result;
  return {
    kind,
    value,
    window,
    from: instantOf(fromMs),
    to: instantOf(Math.max(nowMs, ever.lastMs + 1)),
    is_complete: isComplete,
    events: Number(sums.event_count),
    failed_events: Number(sums.failed_count),
    cost_usd: sums.spent,
    keys: Number(sums.key_count),
    unknown_keys: Number(sums.unknown_count),
    first_seen_ever: instantOf(ever.firstMs),
    last_seen_ever: instantOf(ever.lastMs),
    is_new: ever.firstMs >= fromMs,
    is_live: isLive(ever.lastMs, nowMs),
    lanes,
    groups: others.map((other, index): EntityGroup => ({
      kind: other,
      total: Number(sums.totals[index]),
      nodes: groups[index] ?? [],
    })),
    trend,
  };
}
