import { encodeUsageRow } from '@lanewatch/ingest/contract';
import { describe, expect, test } from 'vitest';
import { usageEvent } from './testing/events.ts';
import { createClock } from './testing/harness.ts';
import { createMemoryLedger } from './testing/memory-ledger.ts';
import { PARTITIONS, recordOf, start, stored } from './testing/deliver.ts';

describe('closing and waiting', () => {
  test('closing ends under load that does not, with what was taken in stored', async () => {
    const ledger = createMemoryLedger();
    const harness = start(ledger, { batchRowsMax: 1000 });
    const insert = ledger.insert.bind(ledger);
    ledger.insert = async (rows, claimant) => {
      for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
      await insert(rows, claimant);
    };
    await harness.pipeline.onAssignment(PARTITIONS);
    let offset = 0;
    let closing: Promise<void> | null = null;
    let isClosed = false;
    while (!isClosed) {
      const record = recordOf(0, offset, [encodeUsageRow(usageEvent({ id: String(offset) }))]);
      await harness.pipeline.onBatch({ partition: 0, records: [record], endOffset: ++offset });
      await new Promise(setImmediate);
      if (offset === 20) closing = harness.pipeline.close().then(() => void (isClosed = true));
      // A bus goes on delivering until it is told to stop; a detector that closes only when there is nothing left never does.
      if (offset > 10_000) expect.unreachable('still closing');
    }
    await closing;
    expect(ledger.rows.map(({ id }) => Number(id))).toEqual(Array.from({ length: 20 }, (_, id) => id));
    await expect(harness.pipeline.onAssignment(PARTITIONS)).rejects.toThrow('stopping');
  });

  test('whoever closes a second time, or delivers meanwhile, waits for the same end', async () => {
    const ledger = createMemoryLedger();
    const { pipeline } = start(ledger);
    const { promise: gate, resolve: release } = Promise.withResolvers<undefined>();
    const insert = ledger.insert.bind(ledger);
    ledger.insert = async (block, claimant) => {
      await gate;
      await insert(block, claimant);
    };
    const record = (offset: number) => recordOf(0, offset, [encodeUsageRow(usageEvent({ id: String(offset) }))]);
    await pipeline.onAssignment(PARTITIONS);
    await pipeline.onBatch({ partition: 0, records: [record(0)], endOffset: 2 });
    const ends = [
      pipeline.close(),
      pipeline.onBatch({ partition: 0, records: [record(1)], endOffset: 2 }),
      pipeline.close(),
    ];
    release(undefined);
    await Promise.all(ends);
    expect(stored(ledger)).toEqual(['0']);
  });

  test('a slow ledger holds the bus back instead of filling memory', async () => {
    const ledger = createMemoryLedger();
    const harness = start(ledger, { batchRowsMax: 2 });
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const insert = ledger.insert.bind(ledger);
    ledger.insert = async (rows, claimant) => {
      await gate;
      await insert(rows, claimant);
    };
    await harness.pipeline.onAssignment(PARTITIONS);
    const records = Array.from({ length: 20 }, (_, offset) =>
      recordOf(0, offset, [encodeUsageRow(usageEvent({ id: `e${offset}` }))]),
    );
    let settled = false;
    const delivering = harness.pipeline.onBatch({ partition: 0, records, endOffset: 20 }).then(() => (settled = true));
    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
    expect(settled).toBe(false);
    release();
    await delivering;
    await harness.pipeline.close();
    expect(ledger.rows).toHaveLength(20);
  });

  test('what waited while the batch before it was being stored does not wait for others again', async () => {
    const ledger = createMemoryLedger();
    const clock = createClock();
    const flushIntervalMs = 3_600_000;
    const harness = start(ledger, { batchRowsMax: 2, flushIntervalMs }, clock);
    const gate = Promise.withResolvers<undefined>();
    const second = Promise.withResolvers<undefined>();
    const insert = ledger.insert.bind(ledger);
    ledger.insert = async (rows, claimant) => {
      await gate.promise;
      await insert(rows, claimant);
      if (ledger.rows.length === 3) second.resolve(undefined);
    };
    await harness.pipeline.onAssignment(PARTITIONS);
    const recordWith = (offset: number, ids: string[]) =>
      recordOf(
        0,
        offset,
        ids.map((id) => encodeUsageRow(usageEvent({ id }))),
      );
    await harness.pipeline.onBatch({ partition: 0, records: [recordWith(0, ['a', 'b'])], endOffset: 1 });
    await harness.pipeline.onBatch({ partition: 0, records: [recordWith(1, ['c'])], endOffset: 2 });
    clock.advance(flushIntervalMs);
    gate.resolve(undefined);
    await second.promise;
    expect(stored(ledger)).toEqual(['a', 'b', 'c']);
    await harness.pipeline.close();
  });
});
