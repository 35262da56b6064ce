import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WINDOWS } from '../../contract/index.ts';
import { trendStartsMs, WINDOW_HOURS, windowStartMs } from './window.ts';

const HOUR_MS = 3_600_000;

test('a window begins at a full hour and holds its length and less than an hour more', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4e12 }), fc.constantFrom(...WINDOWS), (extra, window) => {
      const now = 90 * 24 * HOUR_MS + extra;
      const start = windowStartMs(window, now);
      expect(start % HOUR_MS).toBe(0);
      const length = now - start;
      expect(length).toBeGreaterThanOrEqual(WINDOW_HOURS[window] * HOUR_MS);
      expect(length).toBeLessThan((WINDOW_HOURS[window] + 1) * HOUR_MS);
    }),
  );
});

test('steps of a trend cover the window without gaps, and the newest is as long as any', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4e12 }), fc.constantFrom(...WINDOWS), (extra, window) => {
      const now = 90 * 24 * HOUR_MS + extra;
      const stepMs = (WINDOW_HOURS[window] > 24 ? 24 : 1) * HOUR_MS;
      const starts = trendStartsMs(window, now);
      expect(starts[0]).toBe(windowStartMs(window, now));
      const lengths = starts.map((start, index) => (starts[index + 1] ?? start + stepMs) - start);
      expect(lengths.slice(1).every((length) => length === stepMs)).toBe(true);
      expect(lengths[0]! - stepMs).toBeGreaterThanOrEqual(0);
      expect(lengths[0]! - stepMs).toBeLessThanOrEqual(HOUR_MS);
      const untilEndMs = starts.at(-1)! + stepMs - now;
      expect(untilEndMs).toBeGreaterThan(0);
      expect(untilEndMs).toBeLessThanOrEqual(HOUR_MS);
    }),
  );
});

test('a trend goes by the hour up to a day and by the day beyond', () => {
  const now = Date.UTC(2026, 10, 21, 12, 34);
  expect(WINDOWS.map((window) => trendStartsMs(window, now).length)).toEqual([2, 25, 7, 30, 90]);
});
