import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BusRecord, OutgoingRecord } from '../../../contract/bus.ts';
import { chunkCount, chunkTimestamp, decodeChunk, encodeChunk, encodedBytes } from './chunk.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 30 });
const outgoing = fc.record({
  key: fc.option(text, { nil: null }),
  value: fc.uint8Array({ maxLength: 200 }),
  headers: fc.option(fc.dictionary(text, text, { maxKeys: 4 }), { nil: undefined }),
});

describe('chunks of the embedded log', () => {
  it('give back every record from any offset on', () => {
    fc.assert(
      fc.property(
        fc.array(outgoing, { minLength: 1, maxLength: 20 }),
        fc.nat(2 ** 40),
        fc.nat(25),
        (generated, first, skip) => {
          const records: OutgoingRecord[] = generated.map(({ headers, ...rest }) =>
            headers ? { ...rest, headers } : rest,
          );
          const bytes = records.reduce((sum, record) => sum + encodedBytes(record), 0);
          const chunk = encodeChunk(records, bytes, 1_700_000_000_123);
          expect(chunkCount(chunk)).toBe(records.length);
          expect(chunkTimestamp(chunk)).toBe(1_700_000_000_123);
          const decoded: BusRecord[] = [];
          decodeChunk(chunk, 3, first, first + skip, decoded);
          expect(decoded).toEqual(
            records.slice(skip).map(({ key, value, headers }, index) => ({
              partition: 3,
              offset: first + skip + index,
              key,
              value: Buffer.from(value),
              headers: { ...headers },
              timestamp: 1_700_000_000_123,
            })),
          );
        },
      ),
    );
  });
});
