import { expect, test } from 'vitest';
import { countTrendOf } from './count-trend.ts';

const HOUR_MS = 3_600_000;
const row = (ms: number, keys: number) => ({
  at: ms / 1000,
  keys,
  unknown: 1,
  shared: 0,
  weak: 2,
  unknown_sessions: 3,
});

test('steps without events are 0, the first begins with the window, and what is ahead of the clock is in the newest', () => {
  const startsMs = [HOUR_MS + 120_000, 2 * HOUR_MS, 3 * HOUR_MS];
  const steps = countTrendOf([row(HOUR_MS, 4), row(9 * HOUR_MS, 7)], startsMs);
  expect(steps.map(({ keys }) => keys)).toEqual([4, 0, 7]);
  expect(steps[0]).toEqual({
    ...{ at: '1970-01-01T01:02:00.000Z', keys: 4, unknown_lanes: 1, shared_lanes: 0 },
    ...{ weakly_governed_lanes: 2, unknown_key_sessions: 3 },
  });
});
