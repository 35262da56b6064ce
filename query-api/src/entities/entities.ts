import type { Entity, EntityKind, Window } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { standingsSql } from '../lanes/states.ts';
import { rowsSince, windowScope } from '../ledger/scope.ts';
import { instantOf, isLive } from '../ledger/window.ts';
import { BOUNDED_SQL } from '../ledger/bounded.ts';
import { kindSql } from './kinds.ts';

/** Keys named with a value. */
const LANES_MAX = 3;

interface EntityRow {
  value: string;
  event_count: number | string;
  failed_count: number | string;
  spent: string;
  key_count: number | string;
  unknown_count: number | string;
  lanes: [lane: string, hint: string, standing: string][];
  user_count: number | string;
  session_count: number | string;
  latest: [user: string, agent: string, repo: string, model: string];
  first_ms: number | string;
  last_ms: number | string;
}

/** Everything about some values, by value. Those without an event in the scope are left out. Whether they are new is asked apart. */
export async function readEntities(
  store: ClickHouse,
  kind: EntityKind,
  values: readonly string[],
  scope: { fromMs: number; window: Window; nowMs: number; lane?: string | undefined },
): Promise<ReadonlyMap<string, Omit<Entity, 'is_new'>>> {
  if (values.length === 0) return new Map();
  const { value, isOneOf } = kindSql(kind);
  const { where, parameters } = rowsSince(scope.fromMs, 'since', 'ledger.');
  const standings = windowScope(scope.window, scope.nowMs);
  const onLane = scope.lane === undefined ? '' : 'AND ledger.lane = {f_lane:String}';
  const rows = await store.rows<EntityRow>(
    `SELECT value, sum(events) AS event_count, sum(failed) AS failed_count, toString(sum(cost)) AS spent,
       countIf(used.lane != 'unattributed') AS key_count, countIf(standing = 'unknown') AS unknown_count,
       arrayMap(one -> (one.3, one.4, one.5), arraySlice(arrayReverseSort(groupArrayIf(
         (standing = 'unknown', events, used.lane, newest_hint, if(standing = '', 'unattributed', standing)),
         used.lane != 'unattributed')), 1, ${LANES_MAX})) AS lanes,
       uniqExactMerge(users) AS user_count, uniqExactMerge(sessions) AS session_count,
       argMax(newest, last_at) AS latest,
       toUnixTimestamp64Milli(min(first_at)) AS first_ms, toUnixTimestamp64Milli(max(last_at)) AS last_ms
     FROM (
       SELECT toString(${value}) AS value, toString(ledger.lane) AS lane, sum(ledger.calls) AS events,
         sumIf(ledger.calls, ledger.outcome NOT IN ('success', '')) AS failed, sum(ledger.cost_usd) AS cost,
         uniqExactStateIf(ledger.user, ledger.user != '') AS users,
         uniqExactStateIf(ledger.session, ledger.session != '') AS sessions,
         argMax((toString(ledger.user), toString(ledger.agent), toString(ledger.repo), toString(ledger.model)), ledger.seen_at) AS newest,
         argMaxIf(toString(ledger.hint), ledger.seen_at, ledger.hint != '') AS newest_hint,
         min(ledger.seen_at) AS first_at, max(ledger.seen_at) AS last_at
       FROM ${store.database}.ledger AS ledger WHERE ${isOneOf('values')} AND ${where} ${onLane} GROUP BY value, lane
     ) AS used
     LEFT JOIN (SELECT toString(lane) AS lane, standing FROM (${standingsSql(store.database, standings)})) AS standings
       ON standings.lane = used.lane
     GROUP BY value ${BOUNDED_SQL}`,
    { ...standings.parameters, ...parameters, values, now: scope.nowMs, f_lane: scope.lane ?? '' },
  );
  return new Map(rows.map((row) => [row.value, entityOf(row, scope.nowMs)]));
}

function entityOf(row: EntityRow, nowMs: number): Omit<Entity, 'is_new'> {
  const [user, agent, repo, model] = row.latest;
  return {
    value: row.value,
    events: Number(row.event_count),
    failed_events: Number(row.failed_count),
    cost_usd: row.spent,
    keys: Number(row.key_count),
    unknown_keys: Number(row.unknown_count),
    lanes: row.lanes.map(([lane, hint, standing]) => ({
      lane,
      hint,
      standing: standing as Entity['lanes'][0]['standing'],
    })),
    users: Number(row.user_count),
    sessions: Number(row.session_count),
    latest: { user, agent, repo, model },
    first_seen: instantOf(Number(row.first_ms)),
    last_seen: instantOf(Number(row.last_ms)),
    is_live: isLive(Number(row.last_ms), nowMs),
  };
}
