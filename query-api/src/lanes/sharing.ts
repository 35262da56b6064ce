import type { LaneSharing, Window } from '../../contract/index.ts';
import { SHARING_KINDS } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { BOUNDED_SQL, unlessTooLarge } from '../ledger/bounded.ts';
import { instantSql } from '../ledger/filter.ts';
import { windowScope } from '../ledger/scope.ts';
import { instantOf, stepOf, trendStartsMs, trendStepSql, windowStartMs } from '../ledger/window.ts';
import { ENDPOINT_SQL } from './states.ts';

type Kind = (typeof SHARING_KINDS)[number];
const VALUE_SQL: Record<Kind, string> = {
  user: 'user',
  endpoint: ENDPOINT_SQL,
  agent: 'agent',
  repo: 'repo',
  model: 'model',
};
/** Values of a kind that are told of the time before the window. */
const VALUES_MAX = 500;

type Row = { start: number | string } & Record<Kind, number | string>;

/** How many of each kind used a lane in each step of a window, as SQL. */
export function sharingSql(database: string, window: Window, nowMs: number): string {
  const step = trendStepSql(window);
  const counts = SHARING_KINDS.map(
    (kind) => `uniqExactIf(${VALUE_SQL[kind]}, ${VALUE_SQL[kind]} != '') AS \`${kind}\``,
  );
  return `SELECT toUnixTimestamp(toDateTime(${step}, 'UTC')) AS start, ${counts.join(', ')}
    FROM ${database}.ledger WHERE lane = {lane:String} AND ${windowScope(window, nowMs).where} GROUP BY ${step}`;
}

/**
 * With how many a lane was shared in each step of a window, and which values of the window are older than it. Null instead of those where
 * the lane has more rows before it than a page may read.
 */
export async function readSharing(
  store: ClickHouse,
  lane: string,
  window: Window,
  nowMs: number,
): Promise<LaneSharing> {
  const fromMs = windowStartMs(window, nowMs);
  const scope = windowScope(window, nowMs);
  const [rows, before] = await Promise.all([
    store.rows<Row>(sharingSql(store.database, window, nowMs), { lane, ...scope.parameters }),
    unlessTooLarge(readSeenBefore(store, lane, fromMs)),
  ]);
  const startsMs = trendStartsMs(window, nowMs);
  const steps = startsMs.map((ms) => ({ at: instantOf(ms), user: 0, endpoint: 0, agent: 0, repo: 0, model: 0 }));
  for (const row of rows) {
    const step = steps[stepOf(startsMs, Number(row.start) * 1000)]!;
    for (const kind of SHARING_KINDS) step[kind] = Math.max(step[kind], Number(row[kind]));
  }
  return { steps, seen_before: before };
}

async function readSeenBefore(store: ClickHouse, lane: string, fromMs: number): Promise<LaneSharing['seen_before']> {
  const values = SHARING_KINDS.map(
    (kind) => `groupUniqArrayIf(${VALUES_MAX})(${VALUE_SQL[kind]}, ${VALUE_SQL[kind]} != '') AS \`${kind}\``,
  );
  const [row] = await store.rows<Record<Kind, string[]>>(
    `SELECT ${values.join(', ')} FROM (SELECT * FROM ${store.database}.ledger
       WHERE lane = {lane:String} AND seen_at < ${instantSql('before')}) ${BOUNDED_SQL}`,
    { lane, before: fromMs },
  );
  return row ?? null;
}
