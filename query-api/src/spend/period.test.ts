import { expect, test } from 'vitest';
import { periodOf, previousOf, startsOf } from './period.ts';
import { seriesOf } from './series.ts';

const now = Date.UTC(2026, 10, 28, 5, 30);
const at = (day: number, hour = 0): string => new Date(Date.UTC(2026, 10, day, hour)).toISOString();

test.each([
  ['7d', {}, 7, true],
  ['24h', {}, 25, false],
  ['1h', {}, 13, false],
  ['7d', { from: at(20), to: at(25) }, 5, true],
  ['7d', { from: at(20, 3), to: at(21) }, 21, false],
  ['7d', { from: at(20), to: at(20, 1) }, 12, false],
  ['7d', { from: at(26) }, 3, true],
] as const)('%s %o has %i steps; whole days: %s', (window, bounds, steps, isDays) => {
  const period = periodOf({ window, from: undefined, to: undefined, ...bounds }, now);
  expect(startsOf(period, now)).toHaveLength(steps);
  expect(period.isOfDays).toBe(isDays);
});

test('what it is compared with is as long, ends where it begins, and is read the same way', () => {
  const week = periodOf({ window: '7d', from: undefined, to: undefined }, now);
  const before = previousOf(week, now);
  expect([before.fromMs, before.untilMs]).toEqual([Date.parse(at(15)), Date.parse(at(22))]);
  expect(before.isOfDays).toBe(true);
});

test('bounds in the wrong order are refused by name', () => {
  expect(() => periodOf({ window: '7d', from: at(20), to: at(19) }, now)).toThrow('to must be later than from');
});

test('each series adds up to its value’s cost, with what was before the first step and ahead of our clock', () => {
  const starts = [Date.UTC(2026, 10, 27, 5, 30), Date.UTC(2026, 10, 27, 6)];
  const row = (step: string, spent: string, shown_value = 'a', is_shown = 1) => ({
    step,
    spent,
    shown_value,
    is_shown,
  });
  const { values } = seriesOf(
    [
      row('2026-11-27 05:00:00', '1'),
      row('2026-11-27 06:00:00', '2'),
      row('2026-11-29 06:00:00', '4'),
      row('2026-11-27 06:00:00', '8', '', 0),
    ],
    ['a', ''],
    starts,
    3_600_000,
  );
  expect(values).toEqual([
    { value: 'a', cost_usd: ['1', '6'] },
    { value: '', cost_usd: ['0', '0'] },
    { value: null, cost_usd: ['0', '8'] },
  ]);
});
