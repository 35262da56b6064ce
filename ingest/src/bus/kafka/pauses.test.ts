import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createPauses } from './pauses.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('a pause that is over leaves nothing behind, however many there were', async () => {
  const pauses = createPauses();
  for (let times = 0; times < 50_000; times++) {
    const pause = pauses.pause(10);
    expect(pauses.count).toBe(1);
    vi.advanceTimersByTime(10);
    await pause;
  }
  expect(pauses.count).toBe(0);
  pauses.end();
});

test('all that are under way end at once, and their timers with them', async () => {
  const pauses = createPauses();
  const both = Promise.all([pauses.pause(1e6), pauses.pause(2e6)]);
  pauses.end();
  await both;
  expect([pauses.count, vi.getTimerCount()]).toEqual([0, 0]);
});
