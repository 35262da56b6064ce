import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { BusUnavailableError } from '../../contract/index.ts';
import { partitionForKey } from '../bus/partition.ts';
import { createPartitions, PARTITIONS_REFRESH_MS } from './partitions.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const KEYS = Array.from({ length: 50 }, (_, index) => `key${index}`);

test('partitions that were added while ingest runs are used soon, also for keys that were seen before', async () => {
  let count = 12;
  const partitions = createPartitions(
    () => Promise.resolve(count),
    (error) => expect.fail(String(error)),
  );
  expect(() => partitions.of('a')).toThrow(BusUnavailableError);
  await partitions.refresh();
  expect(KEYS.map((key) => partitions.of(key))).toEqual(KEYS.map((key) => partitionForKey(key, 12)));
  count = 24;
  await vi.advanceTimersByTimeAsync(PARTITIONS_REFRESH_MS);
  expect(KEYS.map((key) => partitions.of(key))).toEqual(KEYS.map((key) => partitionForKey(key, 24)));
  partitions.close();
  expect(vi.getTimerCount()).toBe(0);
});

test('while the bus does not answer what is known stays in use; before it ever did nothing is asked by the way', async () => {
  const counts = [5];
  const count = vi.fn(() => (counts.length > 0 ? Promise.resolve(counts.shift()!) : Promise.reject(new Error('down'))));
  const faults: unknown[] = [];
  const partitions = createPartitions(count, (error) => faults.push(error));
  await vi.advanceTimersByTimeAsync(PARTITIONS_REFRESH_MS);
  expect(count).not.toHaveBeenCalled();
  await partitions.refresh();
  await vi.advanceTimersByTimeAsync(PARTITIONS_REFRESH_MS);
  expect(faults).toEqual([new Error('down')]);
  expect(partitions.of('a')).toBe(partitionForKey('a', 5));
  await expect(partitions.refresh()).rejects.toThrow('down');
  partitions.close();
});
