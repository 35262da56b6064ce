import type { CollectorCounts } from '@lanewatch/ingest/contract';
import { expect, test } from 'vitest';
import { createCollectorTally } from './collector-tally.ts';

const STARTED = Date.UTC(2026, 10, 20, 12);

test('totals that could not be published are so by the next report, with what came meanwhile', async () => {
  const tally = createCollectorTally('d1', STARTED);
  const published: CollectorCounts[] = [];
  const publish = async (reports: CollectorCounts[]) => void published.push(...reports);
  tally.add('a', 'stored', 3);
  tally.add('b', 'duplicates', 1);
  const lost = tally.report(STARTED, async () => {
    tally.add('a', 'stored', 4);
    await Promise.reject(new Error('the bus is away'));
  });
  await expect(lost).rejects.toThrow('the bus is away');
  await tally.report(STARTED + 5_000, publish);
  expect(published.map(({ collector, stored, duplicates }) => [collector, stored, duplicates])).toEqual([
    ['a', 7, 0],
    ['b', 0, 1],
  ]);
  await tally.report(STARTED + 10_000, publish);
  expect(published).toHaveLength(2);
});
