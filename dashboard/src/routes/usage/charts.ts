import type { Usage, UsageDimension, UsageMeasure } from '@lanewatch/query-api/contract';
import type { Query } from '#lib/query.ts';

/** Which rows of the ledger a measure counts. */
export const MEASURE_FILTERS: Record<UsageMeasure, Query> = {
  calls: {},
  executions: { action: 'execution' },
  failed_authentications: { outcome: 'denied' },
  agent_calls: { q: '-agent:""' },
};

/** Which rows of the ledger have a value. */
export const valueFilter = (by: UsageDimension, value: string): Query =>
  value === '' ? { without: [by] } : { [by]: value };

/** Values that have a colour of their own. */
const SERIES_MAX = 8;

/** A measure over time by the values that have most of it. */
export interface UsageChart {
  by: UsageDimension;
  measure: UsageMeasure;
  total: number;
  /** The last one, where it has `value` null, is everything else. */
  series: { value: string | null; name: string; count: number; counts: number[] }[];
}

/** A chart of what query-api answered: its series add up to the total, at each step, too. */
export function chartOf(usage: Usage, by: UsageDimension, measure: UsageMeasure): UsageChart {
  const top = usage.by[by].rows
    .filter((row) => row[measure] > 0)
    .toSorted((one, other) => other[measure] - one[measure])
    .slice(0, SERIES_MAX)
    .map((row) => ({
      ...{ value: row.value, name: row.name || row.value, count: row[measure], counts: row.steps[measure] },
    }));
  const total = usage.total[measure];
  const rest = total - top.reduce((sum, { count }) => sum + count, 0);
  const restCounts = usage.steps[measure].map((all, step) =>
    top.reduce((left, { counts }) => left - (counts[step] ?? 0), all),
  );
  const others = rest > 0 ? [{ value: null, name: 'all others', count: rest, counts: restCounts }] : [];
  return { by, measure, total, series: [...top, ...others] };
}
