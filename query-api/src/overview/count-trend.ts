import type { Overview, Window } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import type { LaneFacts } from '../lanes/facts.ts';
import { windowScope } from '../ledger/scope.ts';
import { instantOf, isOfDays, stepOf, trendStartsMs, trendStepSql } from '../ledger/window.ts';
import type { Kept } from '../services/shared-reads.ts';

/**
 * How long the trend of a window is shared: its steps are longer, and of a large ledger it costs more than the counts themselves. One that is read in a moment is not
 * kept, so that what a new installation takes in is seen at once.
 */
export const countTrendKept = (window: Window): Partial<Kept> => ({
  perDuration: 100,
  msMax: isOfDays(window) ? 300_000 : 60_000,
});

/**
 * What was in use in each step of a window, as SQL, one row a step that has events. Unknown is what was met as unknown then; weakly governed what is so
 * now. A session that went over two unknown keys counts on both.
 */
export function countTrendSql(
  database: string,
  { window, nowMs, from }: Pick<LaneFacts, 'window' | 'nowMs' | 'from'>,
): string {
  const scope = windowScope(window, nowMs);
  const step = trendStepSql(window);
  const weak = `SELECT lane FROM ${from} WHERE is_weak`;
  return `SELECT toUnixTimestamp(toDateTime(start, 'UTC')) AS at, uniqExactIf(lane, lane != 'unattributed') AS keys,
      uniqExactIf(lane, standing = 'unknown') AS unknown, uniqExactIf(lane, people >= 2 AND lane != 'unattributed') AS shared,
      uniqExactIf(lane, lane IN (${weak})) AS weak, sumIf(runs, standing = 'unknown') AS unknown_sessions
    FROM (SELECT ${step} AS start, lane, standing, uniqExactIf(user, user != '') AS people, uniqExactIf(session, session != '') AS runs
      FROM ${database}.ledger WHERE ${scope.where} GROUP BY ${step}, lane, standing)
    GROUP BY start ORDER BY start`;
}

type Row = Record<'at' | 'keys' | 'unknown' | 'shared' | 'weak' | 'unknown_sessions', number | string>;

/** Reads it, oldest step first and without gaps. */
export async function readCountTrend(store: ClickHouse, facts: LaneFacts): Promise<Overview['count_trend']> {
  const { window, nowMs } = facts;
  const rows = await store.rows<Row>(countTrendSql(store.database, facts), {
    ...windowScope(window, nowMs).parameters,
    ...facts.parameters,
  });
  return countTrendOf(rows, trendStartsMs(window, nowMs));
}

/** Rows by the steps of a window. Pure. */
export function countTrendOf(rows: readonly Row[], startsMs: readonly number[]): Overview['count_trend'] {
  const steps = startsMs.map((ms) => ({
    ...{ at: instantOf(ms), keys: 0, unknown_lanes: 0, shared_lanes: 0 },
    ...{ weakly_governed_lanes: 0, unknown_key_sessions: 0 },
  }));
  for (const row of rows) {
    const step = steps[stepOf(startsMs, Number(row.at) * 1000)];
    if (step === undefined) continue;
    step.keys = Math.max(step.keys, Number(row.keys));
    step.unknown_lanes = Math.max(step.unknown_lanes, Number(row.unknown));
    step.shared_lanes = Math.max(step.shared_lanes, Number(row.shared));
    step.weakly_governed_lanes = Math.max(step.weakly_governed_lanes, Number(row.weak));
    step.unknown_key_sessions = Math.max(step.unknown_key_sessions, Number(row.unknown_sessions));
  }
  return steps;
}
