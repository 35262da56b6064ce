import type { Session } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { BOUNDED_SQL } from '../ledger/bounded.ts';
import { readEver } from '../entities/ever.ts';
import { kindSql } from '../entities/kinds.ts';
import { readLaneRows } from '../lanes/rows.ts';
import { readLedger } from '../ledger/query.ts';
import { rowsSince } from '../ledger/scope.ts';
import type { Scope } from '../ledger/scope.ts';
import { instantOf, isLive } from '../ledger/window.ts';
import { readNeighbours } from './neighbours.ts';
import { netCalls, netSql } from './net.ts';

/** Steps of the time axis, and lanes drawn on it. */
const STEPS_MAX = 96;
const LANES_MAX = 8;
const PARTS_MAX = 10;
const CHANGES_MAX = 50;

interface Counts {
  events: number | string;
  failed: number | string;
  cost: string;
}

const COUNTS_SQL = `sum(ledger.calls) AS events, sumIf(ledger.calls, ledger.outcome NOT IN ('success', '')) AS failed, toString(sum(ledger.cost_usd)) AS cost`;
const countsOf = ({ events, failed, cost }: Counts) => ({
  events: Number(events),
  failed_events: Number(failed),
  cost_usd: cost,
});

/** What a session's calls name, by what is told of it; SQL expressions. */
const PARTS = {
  users: kindSql('user').value,
  endpoints: kindSql('endpoint').value,
  agents: kindSql('agent').value,
  models: kindSql('model').value,
  repos: kindSql('repo').value,
  orgs: kindSql('org').value,
  outcomes: 'ledger.outcome',
} as const;

type PartName = keyof typeof PARTS;

async function readParts(store: ClickHouse, scope: Scope): Promise<Pick<Session, PartName>> {
  const names = Object.keys(PARTS) as PartName[];
  const parts = await Promise.all(
    names.map(async (name) => {
      const rows = await store.rows<Counts & { value: string }>(
        `SELECT ${PARTS[name]} AS value, ${COUNTS_SQL} FROM ${store.database}.ledger AS ledger WHERE ${scope.where}
         GROUP BY value ORDER BY events DESC, value LIMIT ${PARTS_MAX} ${BOUNDED_SQL}`,
        scope.parameters,
      );
      return [name, rows.map((row) => ({ value: row.value, ...countsOf(row) }))] as const;
    }),
  );
  return Object.fromEntries(parts) as Pick<Session, PartName>;
}

async function readSums(
  store: ClickHouse,
  scope: Scope,
): Promise<Pick<Session, 'events' | 'failed_events' | 'cost_usd' | 'tokens'>> {
  const [sums] = await store.rows<Counts & Record<keyof Session['tokens'], number | string>>(
    `SELECT ${COUNTS_SQL}, sum(tokens_input_uncached) AS input_uncached, sum(tokens_cache_read) AS cache_read,
       sum(tokens_cache_write) AS cache_write, sum(tokens_output) AS output
     FROM ${store.database}.ledger AS ledger WHERE ${scope.where} ${BOUNDED_SQL}`,
    scope.parameters,
  );
  if (sums === undefined) throw new Error('an aggregate without groups has one row');
  return {
    ...countsOf(sums),
    tokens: {
      input_uncached: Number(sums.input_uncached),
      cache_read: Number(sums.cache_read),
      cache_write: Number(sums.cache_write),
      output: Number(sums.output),
    },
  };
}

type UsedLane = Omit<Session['lanes'][number], 'hint' | 'standing' | 'before' | 'after'>;

async function readUsedLanes(store: ClickHouse, scope: Scope): Promise<UsedLane[]> {
  const rows = await store.rows<Counts & { lane: string; first: number | string; last: number | string }>(
    `SELECT ledger.lane AS lane, ${COUNTS_SQL}, toUnixTimestamp64Milli(min(ledger.seen_at)) AS first,
       toUnixTimestamp64Milli(max(ledger.seen_at)) AS last
     FROM ${store.database}.ledger AS ledger WHERE ${scope.where} GROUP BY lane ORDER BY first, lane LIMIT ${LANES_MAX} ${BOUNDED_SQL}`,
    scope.parameters,
  );
  return rows.map((row) => ({
    lane: row.lane,
    ...countsOf(row),
    first_seen: instantOf(Number(row.first)),
    last_seen: instantOf(Number(row.last)),
  }));
}

/** Keys that a session used, with how they stand now and what came before and after it on each. */
async function readLanes(store: ClickHouse, session: string, scope: Scope, nowMs: number): Promise<Session['lanes']> {
  const used = await readUsedLanes(store, scope);
  const since = rowsSince(Math.min(...used.map(({ first_seen }) => Date.parse(first_seen))));
  const [states, neighbours] = await Promise.all([
    readLaneRows(
      store,
      used.map(({ lane }) => lane),
      since,
      nowMs,
    ),
    Promise.all(used.map((lane) => readNeighbours(store, session, lane))),
  ]);
  return used.map((lane, index) => {
    const state = states.get(lane.lane);
    const { before, after } = neighbours[index] ?? { before: null, after: null };
    return { ...lane, hint: state?.lane_hint ?? '', standing: state?.standing ?? 'unattributed', before, after };
  });
}

async function readKeyChanges(store: ClickHouse, scope: Scope): Promise<Session['key_changes']> {
  const rows = await store.rows<{ at: number | string; lane: string; previous: string }>(
    `SELECT toUnixTimestamp64Milli(seen) AS at, lane, previous
     FROM (SELECT ledger.seen_at AS seen, toString(ledger.lane) AS lane,
         lagInFrame(toString(ledger.lane)) OVER (ORDER BY ledger.seen_at, kafka_partition, kafka_offset, record_index
           ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS previous
       FROM ${store.database}.ledger AS ledger WHERE ${scope.where})
     WHERE previous NOT IN ('', lane) ORDER BY at LIMIT ${CHANGES_MAX} ${BOUNDED_SQL}`,
    scope.parameters,
  );
  return rows.map((row) => ({ at: instantOf(Number(row.at)), from_lane: row.previous, to_lane: row.lane }));
}

async function readAxis(store: ClickHouse, scope: Scope, firstMs: number, lastMs: number): Promise<Session['axis']> {
  const stepMs = Math.max(1, Math.ceil((lastMs - firstMs + 1) / STEPS_MAX));
  const rows = await store.rows<Counts & { step: number | string; lane: string }>(
    `SELECT intDiv(toUnixTimestamp64Milli(ledger.seen_at) - {first:Int64}, {step:Int64}) AS step, ledger.lane AS lane, ${COUNTS_SQL}
     FROM ${store.database}.ledger AS ledger WHERE ${scope.where} GROUP BY step, lane ORDER BY step, lane LIMIT ${STEPS_MAX * LANES_MAX} ${BOUNDED_SQL}`,
    { ...scope.parameters, first: firstMs, step: stepMs },
  );
  return {
    step_ms: stepMs,
    steps: rows.map((row) => ({ step: Number(row.step), lane: row.lane, ...countsOf(row) })),
  };
}

/** One run in order, a page of its calls with it; null where no event names the session. Throws CursorError. */
export async function readSession(
  store: ClickHouse,
  session: string,
  page: { limit: number; cursor?: string | undefined },
  nowMs: number,
): Promise<Session | null> {
  const ever = await readEver(store, 'session', session);
  if (ever === null) return null;
  const { firstMs, lastMs } = ever;
  const since = rowsSince(firstMs, 'since', 'ledger.');
  const ofSession = `${kindSql('session').isOneOf('values')} AND ${since.where}`;
  const scope: Scope = {
    where: `${ofSession} AND ${netSql(store.database, ofSession)}`,
    parameters: { ...since.parameters, values: [session] },
  };
  const [sums, parts, lanes, key_changes, axis, calls] = await Promise.all([
    readSums(store, scope),
    readParts(store, scope),
    readLanes(store, session, scope, nowMs),
    readKeyChanges(store, scope),
    readAxis(store, scope, firstMs, lastMs),
    readLedger(store, { ...page, session: [session], from: instantOf(firstMs), order: 'asc', totals: false }),
  ]);
  return {
    session,
    ...sums,
    first_seen: instantOf(firstMs),
    last_seen: instantOf(lastMs),
    is_live: isLive(lastMs, nowMs),
    ...parts,
    ...{ lanes, key_changes, axis },
    calls: { items: netCalls(calls.items), next_cursor: calls.next_cursor },
  };
}
