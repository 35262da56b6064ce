import { expect, it } from 'vitest';
import type { Usage } from '@lanewatch/query-api/contract';
import { chartOf, valueFilter } from './charts.ts';

const of = (failed: number[]) => {
  const sum = failed.reduce((all, one) => all + one, 0);
  const steps = { calls: failed, executions: [0, 0], failed_authentications: failed, agent_calls: [0, 0] };
  return { calls: sum, executions: 0, failed_authentications: sum, agent_calls: 0, steps };
};
const rows = Array.from({ length: 10 }, (_, index) => ({
  ...{ value: `key-${index}`, name: index === 3 ? 'Third' : '' },
  ...of([index, 1]),
}));
const { steps, ...total } = of([60, 12]);
const usage: Usage = {
  ...{ from: '2026-11-27T00:00:00.000Z', to: '2026-11-29T00:00:00.000Z', is_complete: true, step_seconds: 86_400 },
  ...{ starts: ['2026-11-27T00:00:00.000Z', '2026-11-28T00:00:00.000Z'], total: { ...total, keys: 12 }, steps },
  by: { lane: { values: 12, rows }, module: { values: 0, rows: [] }, agent: { values: 0, rows: [] } },
};

it('shows the eight values with most of a measure and everything else, which add up at each step', () => {
  const { series } = chartOf(usage, 'lane', 'failed_authentications');
  expect(series.map(({ name }) => name)).toEqual([
    ...['key-9', 'key-8', 'key-7', 'key-6', 'key-5', 'key-4', 'Third', 'key-2', 'all others'],
  ]);
  expect(usage.starts.map((_, step) => series.reduce((sum, { counts }) => sum + (counts[step] ?? 0), 0))).toEqual([
    60, 12,
  ]);
  expect(series.at(-1)).toMatchObject({ value: null, count: 72 - (44 + 8), counts: [16, 4] });
});

it('shows nothing that has none of a measure', () => {
  expect(chartOf(usage, 'lane', 'executions')).toMatchObject({ total: 0, series: [] });
});

it('names rows without a value by what they lack', () => {
  expect([valueFilter('module', ''), valueFilter('module', 'agents')]).toEqual([
    { without: ['module'] },
    { module: 'agents' },
  ]);
});
