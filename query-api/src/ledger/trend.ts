import type { Overview, Window } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { dollarsOf, nanoOf } from './money.ts';
import { instantOf, isOfDays, trendStartsMs } from './window.ts';

/**
 * Hours of all lanes, or of the one in `{lane:String}`. Every expression stands in the roll-up `by_lane_hour`, so the engine
 * reads that instead of rows.
 */
export const trendSql = (database: string, ofLane: boolean): string =>
  `SELECT toUnixTimestamp(toStartOfHour(seen_at)) AS start, standing, count() AS events, toString(sum(cost_usd)) AS cost
   FROM ${database}.ledger
   WHERE toStartOfHour(seen_at) >= toDateTime({from:UInt32}, 'UTC')${ofLane ? ' AND lane = {lane:String}' : ''}
   GROUP BY toStartOfHour(seen_at), standing`;

/** Minutes of the same, from rows: windows that begin at one are short. */
const minutesSql = (database: string, ofLane: boolean): string =>
  `SELECT toUnixTimestamp(toStartOfMinute(seen_at)) AS start, standing, count() AS events, toString(sum(cost_usd)) AS cost
   FROM ${database}.ledger
   WHERE seen_at >= toDateTime({from:UInt32}, 'UTC') AND stored_at >= toDateTime({from:UInt32}, 'UTC')
     ${ofLane ? 'AND lane = {lane:String}' : ''}
   GROUP BY start, standing`;

/** Events and spend per UTC day, hour or five minutes of all lanes or one, oldest first and without gaps. */
export async function readTrend(
  store: ClickHouse,
  window: Window,
  nowMs: number,
  lane?: string,
): Promise<Overview['trend']> {
  const starts = trendStartsMs(window, nowMs);
  const sql = isOfDays(window) ? trendSql : minutesSql;
  const rows = await store.rows<{ start: number; standing: string; events: number | string; cost: string }>(
    sql(store.database, lane !== undefined),
    { from: (starts[0] ?? nowMs) / 1000, ...(lane === undefined ? {} : { lane }) },
  );
  const steps = starts.map((startMs) => ({ startMs, events: 0, nano: 0n, unknownNano: 0n }));
  for (const row of rows) {
    // An event may lie ahead of our clock: it is part of the newest step, because the window's counts have it.
    const step = steps.findLast(({ startMs }) => startMs <= Number(row.start) * 1000);
    if (step === undefined) continue;
    const nano = nanoOf(row.cost);
    step.events += Number(row.events);
    step.nano += nano;
    if (row.standing === 'unknown') step.unknownNano += nano;
  }
  return steps.map(({ startMs, events, nano, unknownNano }) => ({
    at: instantOf(startMs),
    events,
    cost_usd: dollarsOf(nano),
    unknown_cost_usd: dollarsOf(unknownNano),
  }));
}
