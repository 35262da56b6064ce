import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { recurring } from './recurring.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('work is done at once, every five seconds, when woken, and a second after it failed, until it is closed', async () => {
  const faults: unknown[] = [];
  const lost = new Error('lost');
  const work = vi.fn(() => Promise.resolve());
  const own = recurring(work, (error) => faults.push(error));
  const runsAfter = async (ms: number) => {
    await vi.advanceTimersByTimeAsync(ms);
    return work.mock.calls.length;
  };
  expect([await runsAfter(4_999), await runsAfter(1)]).toEqual([1, 2]);
  work.mockRejectedValueOnce(lost);
  own.wake();
  expect([await runsAfter(999), await runsAfter(1)]).toEqual([3, 4]);
  expect(faults).toEqual([lost]);
  await own.close();
  own.wake();
  expect(await runsAfter(60_000)).toBe(4);
});

test('who wakes it while it runs gets a run that began after that', async () => {
  const ends: (() => void)[] = [];
  const own = recurring(
    () => new Promise<void>((end) => void ends.push(end)),
    (error) => expect.fail(String(error)),
  );
  own.wake();
  own.wake();
  expect(ends).toHaveLength(1);
  ends[0]!();
  await vi.advanceTimersByTimeAsync(0);
  expect(ends).toHaveLength(2);
  ends[1]!();
  await own.close();
});
