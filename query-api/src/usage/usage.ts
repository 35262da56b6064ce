import { USAGE_MEASURES } from '../../contract/index.ts';
import type { Usage, UsageDimension, UsageMeasure, UsageQuery } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { readWithin } from '../ledger/bounded.ts';
import { instantOf, stepOf } from '../ledger/window.ts';
import { readLaneNames } from '../spend/names.ts';
import { periodOf, startsOf } from '../spend/period.ts';
import type { Period } from '../spend/period.ts';
import { rowsSql, totalsSql } from './sql.ts';
import type { Source } from './sql.ts';

type Counts = Record<UsageMeasure, number | string>;
type StepJson = Counts & { step: number | string };
type RowJson = Counts & {
  value: string;
  /** Start of the step in epoch seconds, and the measures in their order. */
  steps: (number | string)[][];
  value_count: number | string;
  named_count: number | string;
};

const ofMeasures = <Value>(make: (measure: UsageMeasure, index: number) => Value): Record<UsageMeasure, Value> =>
  Object.fromEntries(USAGE_MEASURES.map((measure, index) => [measure, make(measure, index)])) as Record<
    UsageMeasure,
    Value
  >;
const countsOf = (row: Counts) => ofMeasures((measure) => Number(row[measure]));

/**
 * How keys are used: calls, executions, failed authentications and calls of agents, over time and by key, module and agent. A window that
 * has more rows than a page is worth is counted over the longest shorter one.
 * @throws {ReadTooLargeError} where bounds were given that have too many rows
 * @throws {ProblemError} where they are none
 */
export async function readUsage(store: ClickHouse, query: UsageQuery, nowMs: number): Promise<Usage> {
  if (query.from !== undefined) return readPeriod(store, query, periodOf(query, nowMs), nowMs, true);
  const { result, isComplete } = await readWithin(query.window, nowMs, (_fromMs, window) =>
    readPeriod(store, query, periodOf({ window }, nowMs), nowMs, true),
  );
  return { ...result, is_complete: isComplete };
}

async function readPeriod(
  store: ClickHouse,
  filters: UsageQuery,
  asked: Period,
  nowMs: number,
  isComplete: boolean,
): Promise<Usage> {
  // Ends now: what comes later is in no count, and not among the rows that a count opens.
  const period = { ...asked, untilMs: asked.untilMs ?? nowMs + 1 };
  const source: Source = { database: store.database, period, filters };
  const starts = startsOf(period, nowMs);
  const rowsBy = (by: UsageDimension) => {
    const { sql, parameters } = rowsSql(source, by);
    return store.rows<RowJson>(sql, parameters);
  };
  const totals = totalsSql(source);
  const [steps, lanes, modules, agents] = await Promise.all([
    store.rows<StepJson>(totals.sql, totals.parameters),
    ...[rowsBy('lane'), rowsBy('module'), rowsBy('agent')],
  ] as const);
  const names = await readLaneNames(
    store,
    'lane',
    lanes!.map(({ value }) => value),
  );
  const place = (counts: readonly (readonly [number, number])[]) => placed(starts, counts);
  const breakdown = (rows: RowJson[], nameOf: (value: string) => string) => ({
    values: Number(rows[0]?.value_count ?? 0),
    rows: rows.map((row) => ({
      ...{ value: row.value, name: nameOf(row.value), ...countsOf(row) },
      steps: ofMeasures((_measure, index) =>
        place(row.steps.map((step) => [Number(step[0]), Number(step[index + 1])])),
      ),
    })),
  });
  return {
    ...{ from: instantOf(period.fromMs), to: instantOf(period.untilMs), is_complete: isComplete },
    ...{ step_seconds: period.stepMs / 1000, starts: starts.map(instantOf) },
    total: {
      ...ofMeasures((measure) => steps.reduce((sum, step) => sum + Number(step[measure]), 0)),
      keys: Number(lanes![0]?.named_count ?? 0),
    },
    steps: ofMeasures((measure) => place(steps.map((step) => [Number(step.step), Number(step[measure])]))),
    by: {
      lane: breakdown(lanes!, (lane) => names.get(lane) ?? ''),
      module: breakdown(modules!, () => ''),
      agent: breakdown(agents!, () => ''),
    },
  };
}

/** Counts by the steps of a chart, without gaps. @param counts pairs of a step's start in epoch seconds and a count. Pure. */
function placed(starts: readonly number[], counts: readonly (readonly [number, number])[]): number[] {
  const steps = starts.map(() => 0);
  for (const [startS, count] of counts) steps[stepOf(starts, startS * 1000)]! += count;
  return steps;
}
