import { expect, it } from 'vitest';
import { bucketLabel, columnsOf, paddedRange } from './trend.ts';

const points = [
  { at: '2026-11-20T05:00:00Z', events: 2, cost_usd: '1.50', unknown_cost_usd: '0.50' },
  { at: '2026-11-21T05:00:00Z', events: 1, cost_usd: '0.25' },
];

it('gives uPlot columns of one length', () => {
  const [seconds, totals, unknown] = columnsOf(points);
  expect(totals).toEqual([1.5, 0.25]);
  expect(unknown).toEqual([0.5, 0]);
  expect(seconds).toHaveLength(2);
});

it('leaves room for whole bars at both ends', () => {
  const [first, last] = columnsOf(points)[0] as [number, number];
  expect(paddedRange(points)).toEqual([first - 43_200, last + 43_200]);
  expect(paddedRange(points.slice(0, 1))).toEqual([first - 1800, first + 1800]);
});

it('labels days in UTC, as they were counted, and hours in the reader’s zone', () => {
  const seconds = Date.parse('2026-11-20T00:00:00Z') / 1000;
  expect(bucketLabel(seconds, 'Asia/Tokyo', false)).toBe('09:00');
  expect(bucketLabel(seconds, 'America/Lima', true)).toBe('Nov 20');
});
