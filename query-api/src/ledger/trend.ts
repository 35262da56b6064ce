import type { Overview, Window } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { dollarsOf, nanoOf } from './money.ts';
import { windowScope } from './scope.ts';
import { instantOf, isOfDays, trendStartsMs } from './window.ts';

/**
 * Days of all lanes, or of the one in `{lane:String}`, from the roll-up by lane and day; in a short window minutes, from rows. With the
 * standing of their events.
 */
export function trendSql(database: string, window: Window, nowMs: number, ofLane: boolean): string {
  const start = isOfDays(window) ? 'toDate(seen_at)' : 'toStartOfMinute(seen_at)';
  return `SELECT toUnixTimestamp(toDateTime(${start}, 'UTC')) AS start, standing, sum(calls) AS events, toString(sum(cost_usd)) AS cost
   FROM ${database}.ledger WHERE ${windowScope(window, nowMs).where}${ofLane ? ' AND lane = {lane:String}' : ''}
   GROUP BY ${start}, standing`;
}

/** Sums of a piece of time, none longer than the window's steps. */
export interface TrendRow {
  /** Where it begins, epoch seconds. */
  start: number | string;
  standing: string;
  events: number | string;
  cost: string;
}

/** Events and spend per UTC day, hour or five minutes of all lanes or one, oldest first and without gaps. */
export async function readTrend(
  store: ClickHouse,
  window: Window,
  nowMs: number,
  lane?: string,
): Promise<Overview['trend']> {
  const rows = await store.rows<TrendRow>(trendSql(store.database, window, nowMs, lane !== undefined), {
    ...windowScope(window, nowMs).parameters,
    ...(lane === undefined ? {} : { lane }),
  });
  return trendOf(rows, window, nowMs);
}

/** Sums by the steps of a window, oldest first and without gaps. Pure. */
export function trendOf(rows: readonly TrendRow[], window: Window, nowMs: number): Overview['trend'] {
  const steps = trendStartsMs(window, nowMs).map((startMs) => ({ startMs, events: 0, nano: 0n, unknownNano: 0n }));
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
