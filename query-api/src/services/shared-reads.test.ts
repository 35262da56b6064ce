import { expect, test } from 'vitest';
import { createSharedReads } from './shared-reads.ts';

/** Reads that take `readMs` by a clock of their own. */
function stage(readMs = 0, keptMs = 400) {
  const clock = { ms: 1_000 };
  let reads = 0;
  const shared = createSharedReads({ keptMs, now: () => clock.ms });
  const page = (key = 'overview') =>
    shared.read(key, async () => {
      clock.ms += readMs;
      return ++reads;
    });
  return { clock, shared, page };
}

test('pages that ask for the same at once or soon after share one read', async () => {
  const { clock, page } = stage();
  expect(await Promise.all([page(), page()])).toEqual([1, 1]);
  clock.ms += 399;
  expect(await page()).toBe(1);
  expect(await page('lanes')).toBe(2);
  clock.ms += 1;
  expect(await page()).toBe(3);
});

test.each([
  [1_000, 2_000],
  [5_000, 10_000],
  [25_000, 10_000],
])('what a read of %i ms brought is shared for %i ms after it', async (readMs, keptMs) => {
  const { clock, page } = stage(readMs);
  await page();
  clock.ms += keptMs - 1;
  expect(await page()).toBe(1);
  clock.ms += 1;
  expect(await page()).toBe(2);
});

test('a read may be shared for longer, by what it took', async () => {
  const { clock, shared } = stage();
  const trend = (readMs: number) =>
    shared.read('trend', () => Promise.resolve((clock.ms += readMs)), { perDuration: 100, msMax: 300_000 });
  const first = await trend(30);
  clock.ms += 2_999;
  expect(await trend(30)).toBe(first);
  clock.ms += 1;
  const second = await trend(9_000);
  expect(second).not.toBe(first);
  clock.ms += 299_999;
  expect(await trend(0)).toBe(second);
});

test('nothing read before is handed out after something was changed', async () => {
  const { shared, page } = stage();
  await page();
  shared.forget();
  expect(await page()).toBe(2);
});

test('a read that failed is made again by whoever asks next', async () => {
  const shared = createSharedReads({ keptMs: 400, now: () => 0 });
  await expect(shared.read('overview', () => Promise.reject(new Error('away')))).rejects.toThrow('away');
  expect(await shared.read('overview', () => Promise.resolve(1))).toBe(1);
});

test('a read that runs while something is changed is not handed to who asks after the change', async () => {
  const { shared, page } = stage();
  const before = page();
  shared.forget();
  expect(await Promise.all([before, page()])).toEqual([1, 2]);
});
