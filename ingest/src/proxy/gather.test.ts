import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { UsageEvent } from '../../contract/index.ts';
import { GATHER_MS, gatherEvents } from './gather.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const event = (id: number) => ({ id: String(id) }) as UsageEvent;

test('events that come together are published together, and each hears when it is durable', async () => {
  const batches: number[] = [];
  const { add } = gatherEvents((events) => Promise.resolve(void batches.push(events.length)));
  const first = Promise.all([add(event(1)), add(event(2))]);
  expect(batches).toEqual([]);
  await vi.advanceTimersByTimeAsync(GATHER_MS);
  await first;
  const many = Promise.all(Array.from({ length: 70 }, (_, at) => add(event(at))));
  await vi.advanceTimersByTimeAsync(GATHER_MS);
  await many;
  expect(batches).toEqual([2, 64, 6]);
});

test('what could not be published is told to those whose it was, and the next is published', async () => {
  const answers = [Promise.reject(new Error('full')), Promise.resolve()];
  const { add, flush } = gatherEvents(() => answers.shift()!);
  const lost = add(event(1));
  flush();
  const kept = add(event(2));
  flush();
  await expect(lost).rejects.toThrow('full');
  await expect(kept).resolves.toBeUndefined();
});
