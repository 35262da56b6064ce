import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WINDOWS } from '../../contract/index.ts';
import { isOfDays, trendStartsMs, trendStepMs, WINDOW_DAYS, windowStartMs } from './window.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const anyMoment = fc.integer({ min: 0, max: 4e12 }).map((extra) => 90 * DAY_MS + extra);

test('a window of days begins at midnight UTC and holds so many days, today among them', () => {
  fc.assert(
    fc.property(anyMoment, fc.constantFrom(...WINDOWS.filter(isOfDays)), (now, window) => {
      const start = windowStartMs(window, now);
      expect(start % DAY_MS).toBe(0);
      expect(Math.floor(now / DAY_MS) - start / DAY_MS + 1).toBe(WINDOW_DAYS[window]);
      expect(trendStartsMs(window, now)).toHaveLength(WINDOW_DAYS[window]);
    }),
  );
});

test('a window of hours begins at a full minute and holds its length and less than a minute more', () => {
  fc.assert(
    fc.property(anyMoment, fc.constantFrom('1h' as const, '24h' as const), (now, window) => {
      const start = windowStartMs(window, now);
      expect(start % MINUTE_MS).toBe(0);
      const beyond = now - start - (window === '1h' ? HOUR_MS : DAY_MS);
      expect(beyond).toBeGreaterThanOrEqual(0);
      expect(beyond).toBeLessThan(MINUTE_MS);
    }),
  );
});

test('steps of a trend cover the window without gaps, begin at full steps of the clock, and the newest holds now', () => {
  fc.assert(
    fc.property(anyMoment, fc.constantFrom(...WINDOWS), (now, window) => {
      const stepMs = trendStepMs(window);
      const starts = trendStartsMs(window, now);
      expect(starts[0]).toBe(windowStartMs(window, now));
      const wholes = starts.slice(1);
      expect(wholes.every((start) => start % stepMs === 0)).toBe(true);
      expect(wholes.every((start, index) => start - starts[index]! <= stepMs && start > starts[index]!)).toBe(true);
      expect(Math.floor(now / stepMs) * stepMs).toBe(Math.floor(starts.at(-1)! / stepMs) * stepMs);
    }),
  );
});

test('a trend goes by five minutes, by the hour up to a day, and by the day beyond', () => {
  const now = Date.UTC(2026, 10, 21, 12, 34);
  expect(WINDOWS.map((window) => trendStartsMs(window, now).length)).toEqual([13, 25, 7, 30, 90]);
});
