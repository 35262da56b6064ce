import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inVersion } from './native-version.ts';

const text = (value: string): number[] => [Buffer.byteLength(value), ...Buffer.from(value)];
const uint64 = (value: number): number[] => [value, 0, 0, 0, 0, 0, 0, 0];

/** A type, three rows of it as the engine writes them. */
const COLUMNS: [type: string, rows: number[]][] = [
  ['UInt8', [1, 2, 3]],
  ['String', [...text('a'), ...text(''), ...text('ü')]],
  ['Nullable(UInt16)', [0, 1, 0, 1, 0, 0, 0, 2, 0]],
  ["Enum8('a,b' = 1, ')' = 2)", [1, 2, 1]],
  ['Decimal(38, 9)', Array<number>(48).fill(7)],
  ["DateTime64(3, 'UTC')", Array<number>(24).fill(7)],
  ['FixedString(2)', [1, 2, 3, 4, 5, 6]],
  [
    'LowCardinality(String)',
    [...uint64(1), 0, 6, 0, 0, 0, 0, 0, 0, ...uint64(2), ...text(''), ...text('x'), ...uint64(3), 0, 1, 1],
  ],
  ['Array(UInt8)', [...uint64(1), ...uint64(1), ...uint64(3), 9, 8, 7]],
  ['Array(LowCardinality(String))', [...uint64(1), ...uint64(0), ...uint64(0), ...uint64(0)]],
  ['Map(String, UInt8)', [...uint64(1), ...uint64(1), ...uint64(2), ...text('k'), ...text('l'), 1, 2]],
  ['Tuple(first UInt8, `sec ond` Nullable(UInt8))', [1, 2, 3, 0, 0, 1, 4, 5, 0]],
];

const block = (columns: typeof COLUMNS): Buffer =>
  Buffer.from([columns.length, 3, ...columns.flatMap(([type, rows]) => [...text('c'), ...text(type), ...rows])]);
const versioned = (columns: typeof COLUMNS): Buffer =>
  Buffer.from([
    ...[1, 0, 2, 0xff, 0xff, 0xff, 0xff, 0, columns.length, 3],
    ...columns.flatMap(([type, rows]) => [...text('c'), ...text(type), 0, ...rows]),
  ]);

async function through(bytes: Buffer, cuts: readonly number[] = []): Promise<Buffer> {
  const edges = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  const chunks = edges.slice(1).map((end, index) => bytes.subarray(edges[index], end));
  const parts: Buffer[] = [];
  for await (const part of inVersion(Readable.from(chunks.filter((chunk) => chunk.length > 0)))) parts.push(part);
  return Buffer.concat(parts);
}

describe('blocks of the Native format', () => {
  test.each(COLUMNS)('say what a version wants of a column of %s, and keep its rows', async (...column) => {
    expect(await through(block([column]))).toEqual(versioned([column]));
  });

  test('are the same wherever the stream was cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.subarray(COLUMNS, { minLength: 1 }), { maxLength: 4 }),
        fc.array(fc.nat()),
        async (blocks, cuts) => {
          const expected = Buffer.concat(blocks.map(versioned));
          expect(await through(Buffer.concat(blocks.map(block)), cuts)).toEqual(expected);
        },
      ),
    );
  });

  test('of types with a form of their own are refused, and ones that are cut off, too', async () => {
    await expect(through(block([['Variant(String, UInt8)', [0]]]))).rejects.toThrow('read them as text');
    await expect(through(block(COLUMNS).subarray(0, -1))).rejects.toThrow('ended within a block');
  });
});
