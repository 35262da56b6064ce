import type { CollectorCounts, PartitionLag } from '@lanewatch/ingest/contract';
import { expect, test } from 'vitest';
import { snapshotOf } from '../registry/view.ts';
import { collectorHealth, createCollectorTotals } from './collectors.ts';
import { createSettlement } from './settlement.ts';

const NOW = Date.UTC(2026, 10, 21, 12);

/** A bus with two partitions, and the counts that processes publish. */
function setUp() {
  const clock = { nowMs: NOW };
  const bus = { ends: [0, 0], committed: [0, 0], isAway: false, asked: 0 };
  const totals = createCollectorTotals();
  const lag = async (): Promise<PartitionLag[]> => {
    bus.asked++;
    if (bus.isAway) throw new Error('away');
    return bus.ends.map((endOffset, partition) => {
      const committedOffset = bus.committed[partition]!;
      return { partition, committedOffset, endOffset, lag: endOffset - committedOffset };
    });
  };
  const settlement = createSettlement(totals, lag, () => clock.nowMs);
  return {
    clock,
    bus,
    look: settlement.look,
    report(instance: string, counts: Partial<CollectorCounts>) {
      const at = new Date(clock.nowMs).toISOString();
      const base = { instance, instance_started_at: at, service: 'ingest', collector: 'c', reported_at: at };
      expect(totals.apply(`${instance}/c`, Buffer.from(JSON.stringify({ ...base, ...counts })))).toBe(true);
    },
    inFlight: () => collectorHealth(snapshotOf(1, []), totals.byCollector(), clock.nowMs)[0]!.in_flight,
  };
}

test('counts that a killed detector took with it are not in flight once the bus is read to its end', async () => {
  const { bus, report, look, inFlight } = setUp();
  report('ingest', { accepted: 100 });
  report('detector', { stored: 80 });
  bus.ends = [7, 3];
  bus.committed = [7, 2];
  await look();
  expect(inFlight()).toBe(20);
  bus.committed = [7, 3];
  await look();
  expect(inFlight()).toBe(0);
  report('ingest', { accepted: 105 });
  expect(inFlight()).toBe(5);
});

test('traffic that never pauses does not hold it up: only what came after the last look that was passed is in flight', async () => {
  const { bus, report, look, inFlight } = setUp();
  report('detector', { stored: 0 });
  for (let round = 1; round <= 10; round++) {
    report('ingest', { accepted: round * 100 });
    bus.ends = [round * 10, round * 10];
    bus.committed = [round * 10 - 1, round * 10 - 1];
    await look();
    expect(inFlight()).toBeLessThanOrEqual(200);
  }
});

test('a detector that stands still leaves everything since then in flight', async () => {
  const { bus, report, look, inFlight } = setUp();
  for (let round = 1; round <= 10; round++) {
    report('ingest', { accepted: round * 100 });
    bus.ends = [round * 10, round * 10];
    bus.committed = [10, 10];
    await look();
  }
  expect(inFlight()).toBe(900);
});

test('what an ingest has in its spool stays in flight although the bus is read to its end; when that ingest has ended for long, it does not', async () => {
  const { clock, report, look, inFlight } = setUp();
  report('ingest', { accepted: 40, spooled: true });
  await look();
  expect(inFlight()).toBe(40);
  clock.nowMs += 5 * 60_000;
  await look();
  expect(inFlight()).toBe(0);
});

test('a topic that was made anew does not hold it up for ever', async () => {
  const { bus, report, look, inFlight } = setUp();
  report('ingest', { accepted: 10 });
  bus.ends = [500, 500];
  await look();
  bus.ends = [1, 1];
  bus.committed = [1, 1];
  await look();
  expect(inFlight()).toBe(0);
});

test('while the bus does not answer nothing is taken for read, and it is not asked when nothing is in question', async () => {
  const { bus, report, look, inFlight } = setUp();
  report('ingest', { accepted: 10 });
  bus.isAway = true;
  await expect(look()).rejects.toThrow('away');
  expect(inFlight()).toBe(10);
  bus.isAway = false;
  await look();
  expect([inFlight(), bus.asked]).toEqual([0, 2]);
  await look();
  expect(bus.asked).toBe(2);
});

test('a process that counts from 0 again under its old name makes nothing disappear', async () => {
  const { report, look, inFlight, bus } = setUp();
  report('ingest', { accepted: 100 });
  await look();
  report('ingest', { accepted: 1 });
  await look();
  bus.ends = [9, 9];
  report('ingest', { accepted: 31 });
  expect(inFlight()).toBe(30);
});
