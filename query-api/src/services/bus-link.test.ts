import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { watchAnswers } from './bus-link.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('failures and silence are told once, and the first answer afterwards', async () => {
  const turns: unknown[] = [];
  let ask = (): Promise<unknown> => Promise.resolve();
  const watch = watchAnswers(
    () => ask(),
    5_000,
    (error) => turns.push(error),
  );
  const seconds = (count: number) => vi.advanceTimersByTimeAsync(count * 1_000);
  await seconds(20);
  expect([watch.answers(), turns]).toEqual([true, []]);
  const fault = new Error('away');
  ask = () => Promise.reject(fault);
  await seconds(20);
  expect([watch.answers(), turns]).toEqual([false, [fault]]);
  let answerLate = (): void => undefined;
  ask = () => new Promise<void>((resolve) => (answerLate = resolve));
  await seconds(60);
  expect(watch.answers()).toBe(false);
  ask = () => Promise.resolve();
  answerLate();
  await seconds(0);
  expect([watch.answers(), turns]).toEqual([true, [fault, null]]);
  ask = () => new Promise(() => undefined);
  await seconds(9);
  expect(watch.answers()).toBe(true);
  await seconds(1);
  expect([watch.answers(), turns[2]]).toEqual([false, new Error('no answer in 5000 ms')]);
  watch.close();
  expect(vi.getTimerCount()).toBe(0);
});
