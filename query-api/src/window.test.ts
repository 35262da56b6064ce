import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WINDOWS } from '../contract/index.ts';
import { trendStepMs, WINDOW_HOURS, windowStartMs } from './window.ts';

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

test('a trend goes by the hour up to a day and by the day beyond', () => {
  expect(WINDOWS.map((window) => trendStepMs(window) / HOUR_MS)).toEqual([1, 1, 24, 24, 24]);
});
