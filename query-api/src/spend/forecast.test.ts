import { expect, test } from 'vitest';
import { forecastMonth, pastForecasts } from './forecast.ts';

const DAY_MS = 86_400_000;
const today = Date.UTC(2026, 10, 16);
const before = (days: number): number => today - days * DAY_MS;
const dayNumber = (dayMs: number): number => dayMs / DAY_MS;
const monthOf = (costOf: (dayMs: number) => number): number =>
  Array.from({ length: 30 }, (_, index) => costOf(Date.UTC(2026, 10, index + 1))).reduce((sum, cost) => sum + cost, 0);

test('a month whose days repeat by weekday and grow evenly is forecast exactly', () => {
  const costOf = (dayMs: number): number =>
    300 + 2 * (dayNumber(dayMs) - dayNumber(today)) + (dayNumber(dayMs) % 7) * 5;
  const known = (dayMs: number): number => (dayMs < today ? costOf(dayMs) : 0);
  const made = forecastMonth(known, before(60), today);
  expect(made).toMatchObject({ total: expect.closeTo(monthOf(costOf), 6), weeks: 4 });
  expect(made!.days).toHaveLength(30);
  expect(made!.days[29]).toBeCloseTo(costOf(Date.UTC(2026, 10, 30)), 6);
});

test.each([
  [6, null],
  [7, 1],
  [14, 2],
  [27, 2],
  [28, 4],
])('with %i days known before today, %s weeks are looked back over', (days, weeks) => {
  expect(forecastMonth(() => 10, before(days), today)?.weeks ?? null).toBe(weeks);
});

test('a spike moves no day by more than half of its weekdays’ mean, and nothing costs less than nothing', () => {
  const spike = (dayMs: number): number => (dayMs === before(1) ? 10_000 : dayMs < today ? 10 : 0);
  // Thirteen usual days and one dear Sunday lie before; 16 to 30 November has two more Sundays.
  const mean = (10_000 + 3 * 10) / 4;
  const most = 15 * 10 + 10_000 - 10 + 1.5 * (13 * 10 + 2 * mean);
  expect(forecastMonth(spike, before(60), today)!.total).toBeLessThanOrEqual(most);
  const ending = (dayMs: number): number => (dayMs < before(14) ? 1_000 : 0);
  const spent = 1_000;
  expect(forecastMonth(ending, before(60), today)!.total).toBeGreaterThanOrEqual(spent);
});

test('today counts what it cost already where that is more than its forecast', () => {
  const costOf = (dayMs: number): number => (dayMs === today ? 500 : dayMs < today ? 10 : 0);
  expect(forecastMonth(costOf, before(60), today)!.total).toBe(15 * 10 + 500 + 14 * 10);
});

test('past months are forecast from what was known on the same day of each, and held against their cost', () => {
  const costOf = (dayMs: number): number => (dayMs >= Date.UTC(2026, 9, 20) && dayMs < Date.UTC(2026, 10, 1) ? 20 : 10);
  const past = pastForecasts(costOf, Date.UTC(2026, 7, 1), today, 3);
  expect(past.map(({ monthMs, forecast, actual }) => [monthMs, forecast, actual])).toEqual([
    [Date.UTC(2026, 9, 1), 310, 430],
    [Date.UTC(2026, 8, 1), 300, 300],
    [Date.UTC(2026, 7, 1), 310, 310],
  ]);
  expect(past[0]!.error).toBeCloseTo(-120 / 430);
  expect(pastForecasts(costOf, Date.UTC(2026, 8, 5), today, 3)).toHaveLength(1);
});
