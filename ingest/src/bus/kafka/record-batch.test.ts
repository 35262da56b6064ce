import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BusRecord } from '../../../contract/bus.ts';
import { isCurrentFormat, packBatches, unpackRecords } from './record-batch.ts';

const require = createRequire(import.meta.url);

interface EncodedRecord {
  offsetDelta: number;
  timestampDelta: number;
  key: string | null;
  value: Buffer | null;
  headers: Record<string, string>;
}

const encodeRecord = require('kafkajs/src/protocol/recordBatch/record/v0') as (record: EncodedRecord) => unknown;
const { RecordBatch: encodeBatch } = require('kafkajs/src/protocol/recordBatch/v0') as {
  RecordBatch: (batch: object) => Promise<{ buffer: Buffer }>;
};

const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const encoded = fc.record({
  // Both lengths around the border of one and two varint bytes, and longer ones.
  key: fc.option(text, { nil: null }),
  value: fc.option(
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    { nil: null },
  ),
  headers: fc.dictionary(
    text.filter((name) => name !== '__proto__'),
    text,
    { maxKeys: 3 },
  ),
  timestampDelta: fc.integer({ min: 0, max: 2 ** 40 }),
});

/** The batch as kafkajs' own producer writes it. */
async function encode(
  records: Omit<EncodedRecord, 'offsetDelta'>[],
  firstOffset: number,
  firstTimestamp: number,
): Promise<Buffer> {
  const { buffer } = await encodeBatch({
    firstOffset,
    firstTimestamp,
    maxTimestamp: firstTimestamp,
    lastOffsetDelta: records.length - 1,
    records: records.map((record, offsetDelta) => encodeRecord({ ...record, offsetDelta })),
  });
  return buffer;
}

const nothingIsCompressed = () => null;
/** More than a batch's head of 61 bytes, so that its length is read, and less than the shortest batch there is. */
const TORN_BYTES = 65;

describe('record batches', () => {
  it('come out as another implementation has written them, from any offset on', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(encoded, { minLength: 1, maxLength: 15 }),
        fc.nat(2 ** 31),
        fc.nat(20),
        async (records, firstOffset, skip) => {
          const firstTimestamp = 1_700_000_000_000;
          const set = await encode(records, firstOffset, firstTimestamp);
          expect(isCurrentFormat(set)).toBe(true);
          const batches = await packBatches(Buffer.concat([set, set.subarray(0, TORN_BYTES)]), nothingIsCompressed);
          expect(batches.length).toBe(1);
          expect(batches[0]!.offset).toBe(String(firstOffset + records.length - 1));
          const unpacked: BusRecord[] = [];
          unpackRecords(batches[0]!, 4, firstOffset + skip, unpacked);
          expect(unpacked).toEqual(
            records
              .map(({ key, value, headers, timestampDelta }, index) => ({
                partition: 4,
                offset: firstOffset + index,
                key,
                value: value ?? Buffer.alloc(0),
                headers,
                timestamp: firstTimestamp + timestampDelta,
              }))
              .slice(skip),
          );
        },
      ),
    );
  });

  it('a set that ends anywhere gives the whole batches before that place', async () => {
    const one = await encode([{ key: 'a', value: Buffer.from('1'), headers: {}, timestampDelta: 0 }], 0, 0);
    const two = await encode([{ key: 'b', value: Buffer.from('2'), headers: {}, timestampDelta: 0 }], 1, 0);
    const set = Buffer.concat([one, two]);
    for (let end = 0; end <= set.length; end++) {
      const batches = await packBatches(set.subarray(0, end), nothingIsCompressed);
      expect(batches.length).toBe(end < one.length ? 0 : end < set.length ? 1 : 2);
    }
  });

  it('150,000 records in one batch, more than fit into one call, are no danger to the stack', async () => {
    const records = Array.from({ length: 150_000 }, () => ({
      key: null,
      value: Buffer.from('x'),
      headers: {},
      timestampDelta: 0,
    }));
    const [batch] = await packBatches(await encode(records, 0, 0), nothingIsCompressed);
    const unpacked: BusRecord[] = [];
    unpackRecords(batch!, 0, 0, unpacked);
    expect(unpacked.length).toBe(150_000);
    expect(unpacked.at(-1)!.offset).toBe(149_999);
  });
});
