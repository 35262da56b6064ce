import { encodeUsageRow } from '@lanewatch/ingest/contract';
import { describe, expect, test } from 'vitest';
import { DEAD_LETTER_BYTES_MAX } from './dead-letter.ts';
import { usageEvent } from './testing/events.ts';
import { createMemoryLedger } from './testing/memory-ledger.ts';
import { deliver, PARTITIONS, recordOf, start, stored } from './testing/deliver.ts';

const MEBIBYTE = 1024 * 1024;

describe('the bound of a batch', () => {
  /** A ledger that says what it is sent and takes it only when told to. */
  function gated() {
    const ledger = createMemoryLedger();
    const { promise: gate, resolve: release } = Promise.withResolvers<undefined>();
    const lengths: number[] = [];
    const insert = ledger.insert.bind(ledger);
    ledger.insert = async (block, claimant) => {
      lengths.push(block.length);
      await gate;
      await insert(block, claimant);
    };
    return { ledger, lengths, release: () => release(undefined) };
  }
  const settle = async () => {
    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
  };

  test('is passed by one record at most, however many partitions deliver at the same time', async () => {
    const partitions = Array.from({ length: 12 }, (_, partition) => partition);
    const EVENTS_PER_RECORD = 5;
    const batchRowsMax = 7;
    const { ledger, lengths, release } = gated();
    const { pipeline } = start(ledger, { batchRowsMax });
    await pipeline.onAssignment(partitions);
    const delivering = partitions.map((partition) => {
      const records = Array.from({ length: 4 }, (_, offset) =>
        recordOf(
          partition,
          offset,
          Array.from({ length: EVENTS_PER_RECORD }, (_row, index) =>
            encodeUsageRow(usageEvent({ id: `${partition}/${offset}/${index}` })),
          ),
        ),
      );
      return pipeline.onBatch({ partition, records, endOffset: records.length });
    });
    await settle();
    release();
    await Promise.all(delivering);
    await pipeline.close();
    expect(stored(ledger)).toHaveLength(partitions.length * 4 * EVENTS_PER_RECORD);
    expect(new Set(stored(ledger)).size).toBe(ledger.rows.length);
    expect(Math.max(...lengths)).toBeLessThan(batchRowsMax + EVENTS_PER_RECORD);
  });

  test('holds for the bytes of dead letters too', async () => {
    const partitions = Array.from({ length: 12 }, (_, partition) => partition);
    const published: number[] = [];
    const { ledger, release } = gated();
    const { pipeline } = start(ledger, {
      batchRowsMax: 1000,
      publishDeadLetters: async (letters) =>
        void published.push(letters.reduce((bytes, letter) => bytes + letter.bytes.length, 0)),
    });
    await pipeline.onAssignment(partitions);
    const row = recordOf(0, 0, [encodeUsageRow(usageEvent({ id: 'first' }))]);
    await pipeline.onBatch({ partition: 0, records: [row], endOffset: 1 });
    await settle();
    const delivering = partitions.map((partition) => {
      const records = Array.from({ length: 10 }, (_, index) => recordOf(partition, 1 + index, ['x'.repeat(MEBIBYTE)]));
      return pipeline.onBatch({ partition, records, endOffset: 11 });
    });
    await settle();
    release();
    await Promise.all(delivering);
    await pipeline.close();
    expect(Math.max(...published)).toBeLessThan(16 * MEBIBYTE + DEAD_LETTER_BYTES_MAX);
  });

  test('a batch that the ledger can never take is given up, not tried for ever', async () => {
    const ledger = createMemoryLedger();
    ledger.insert = () => Promise.reject(new RangeError('a batch has 200001 rows'));
    const { pipeline, rejoins } = start(ledger);
    await pipeline.onAssignment(PARTITIONS);
    const record = recordOf(0, 0, [encodeUsageRow(usageEvent({ id: 'one' }))]);
    await pipeline.onBatch({ partition: 0, records: [record], endOffset: 1 });
    await pipeline.close();
    expect(rejoins).toEqual(['a batch has 200001 rows']);
  });
});

test('the block of a batch without rows goes back to the ledger like any other', async () => {
  const ledger = createMemoryLedger();
  const inserted: number[] = [];
  const insert = ledger.insert.bind(ledger);
  ledger.insert = async (block, claimant) => {
    inserted.push(block.length);
    await insert(block, claimant);
  };
  const duplicates = [0, 1].map((offset) => recordOf(0, offset, [encodeUsageRow(usageEvent({ id: 'same' }))]));
  await deliver(start(ledger, { batchRowsMax: 1 }), new Map([[0, duplicates]]));
  expect(inserted).toEqual([1, 0]);
});
