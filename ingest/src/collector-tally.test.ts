import { expect, test } from 'vitest';
import { type CollectorCounts, collectorCountsSchema } from '../contract/index.ts';
import { createCollectorTallies } from './collector-tally.ts';
import { createMemoryBus } from './testing/memory-bus.ts';

const NONE = { accepted: 0, rejected: 0, ignored: 0, redacted: 0 };

function setUp() {
  const bus = createMemoryBus();
  const spool = { isEmpty: true };
  const tallies = createCollectorTallies({
    bus,
    topic: 'counts',
    instance: 'i1',
    startedAt: 0,
    hasSpooled: () => !spool.isEmpty,
    onFault: () => undefined,
  });
  const reports = () =>
    bus.published.map(({ record }) => [record.key, JSON.parse(record.value.toString()) as CollectorCounts] as const);
  return { bus, spool, tallies, reports };
}

test('totals are reported per collector, only when they changed, in the published form', async () => {
  const { tallies, reports } = setUp();
  tallies.add('c1', { ...NONE, accepted: 2 }, 1_000);
  tallies.add('c1', { ...NONE, accepted: 3, redacted: 1 }, 2_000);
  await tallies.report(5_000);
  await tallies.report(6_000);
  tallies.add('c2', { ...NONE, ignored: 4 }, 7_000);
  await tallies.report(8_000);
  expect(reports().map(([key, { accepted, ignored, redacted }]) => [key, accepted, ignored, redacted])).toEqual([
    ['i1/1970-01-01T00:00:00.000Z/c1', 5, 0, 1],
    ['i1/1970-01-01T00:00:00.000Z/c2', 0, 4, 0],
  ]);
  expect(reports()[0]![1].last_received_at).toBe('1970-01-01T00:00:02.000Z');
  for (const [, counts] of reports()) expect(collectorCountsSchema.parse(counts)).toEqual(counts);
});

test('a report that the bus did not take is made good by the next, with totals that lose nothing', async () => {
  const { bus, tallies, reports } = setUp();
  bus.down = true;
  tallies.add('c1', { ...NONE, accepted: 1 }, 1_000);
  await tallies.report(2_000);
  bus.down = false;
  tallies.add('c1', { ...NONE, accepted: 1 }, 3_000);
  await tallies.report(4_000);
  expect(reports().map(([, { accepted }]) => accepted)).toEqual([2]);
});

test('while the spool holds events that were accepted, reports say so and go on until it is empty', async () => {
  const { spool, tallies, reports } = setUp();
  tallies.add('c1', { ...NONE, accepted: 2 }, 1_000);
  spool.isEmpty = false;
  await tallies.report(2_000);
  await tallies.report(3_000);
  spool.isEmpty = true;
  await tallies.report(4_000);
  await tallies.report(5_000);
  expect(reports().map(([, { accepted, spooled }]) => [accepted, spooled])).toEqual([
    [2, true],
    [2, true],
    [2, false],
  ]);
});
