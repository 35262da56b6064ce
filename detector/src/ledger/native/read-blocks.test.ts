import fc from 'fast-check';
import { expect, test } from 'vitest';
import { writeBlock } from './block.ts';
import { ByteBuffer } from './byte-buffer.ts';
import { StringColumn, UInt64Column, UIntColumn } from './columns.ts';
import { LowCardinalityColumn } from './low-cardinality.ts';
import { readBlocks, textAt, type ReadBlock } from './read-blocks.ts';

interface Row {
  text: string;
  label: string;
  small: number;
  instant: number;
  money: number;
}

/** The block as the engine would send it: the encoder is held against the engine in native.int.test.ts. */
function encode(rows: readonly Row[], type = 'UInt16'): Buffer {
  const [text, label, small] = [new StringColumn(new ByteBuffer(1)), new LowCardinalityColumn(), new UIntColumn(16)];
  const [instant, money] = [new UInt64Column(), new UInt64Column()];
  for (const row of rows) {
    text.add(row.text);
    label.add(row.label);
    small.add(row.small);
    instant.add(row.instant);
    money.add(row.money);
  }
  const out = new ByteBuffer(1);
  out.start();
  const columns = [
    { name: 'text', type: 'String', column: text },
    { name: 'label', type: 'LowCardinality(String)', column: label },
    { name: 'small', type, column: small },
    { name: 'instant', type: "DateTime64(3, 'UTC')", column: instant },
    { name: 'money', type: 'Decimal(18, 9)', column: money },
  ];
  writeBlock(out, columns, rows.length);
  return Buffer.from(out.content());
}

/** In pieces of so many bytes at most. */
async function* pieces(bytes: Buffer, most: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += most) yield bytes.subarray(at, at + most);
}

async function all(bytes: AsyncIterable<Uint8Array>): Promise<ReadBlock[]> {
  const blocks: ReadBlock[] = [];
  for await (const block of readBlocks(bytes)) blocks.push(block);
  return blocks;
}

function rowsOf({ rows, texts, numbers }: ReadBlock): Row[] {
  return Array.from({ length: rows }, (_unused, at) => ({
    text: textAt(texts.get('text')!, at),
    label: textAt(texts.get('label')!, at),
    small: numbers.get('small')![at]!,
    instant: numbers.get('instant')![at]!,
    money: numbers.get('money')![at]!,
  }));
}

const text = fc.string({ unit: 'grapheme', maxLength: 150 });
const row: fc.Arbitrary<Row> = fc.record({
  text,
  label: fc.oneof(fc.constantFrom('', 'production', 'ü'.repeat(64)), text),
  small: fc.integer({ min: 0, max: 0xffff }),
  instant: fc.integer({ min: 0, max: Date.UTC(2299, 0) }),
  money: fc.oneof(fc.maxSafeNat(), fc.integer({ min: -Number.MAX_SAFE_INTEGER, max: 0 })),
});

test('blocks are read as they were written, wherever the pieces end that they come in', async () => {
  const blocks = fc.array(fc.array(row, { maxLength: 30 }), { maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(blocks, fc.integer({ min: 1, max: 4_000 }), async (written, most) => {
      const read = await all(pieces(Buffer.concat(written.map((rows) => encode(rows))), most));
      expect(read.map(rowsOf)).toEqual(written);
    }),
  );
});

test('a block has as many distinct texts as there may be', async () => {
  const rows = Array.from({ length: 70_000 }, (_unused, at) => ({
    ...{ text: '', label: `session ${at % 66_000}`, small: at % 300, instant: at, money: 1 - at },
  }));
  const [block] = await all(pieces(encode(rows), 65_536));
  expect(rowsOf(block!)).toEqual(rows);
});

test('an answer that ends inside a block, or has a type that is not read, is refused', async () => {
  const whole = encode([{ text: 'a', label: 'b', small: 1, instant: 2, money: 3 }]);
  for (let length = 1; length < whole.length; length++)
    await expect(all(pieces(whole.subarray(0, length), 7))).rejects.toThrow('ends inside a block');
  await expect(
    all(pieces(encode([{ text: '', label: '', small: 1, instant: 2, money: 3 }], 'Int16'), 9)),
  ).rejects.toThrow('small is Int16');
});

test('an answer is ended by whoever stops reading it, or can’t', async () => {
  const block = encode([{ text: 'a', label: 'b', small: 1, instant: 2, money: 3 }]);
  for (const sent of [block, encode([{ text: '', label: '', small: 1, instant: 2, money: 3 }], 'Int16')]) {
    let ended = 0;
    async function* answer() {
      try {
        for (;;) yield sent;
      } finally {
        ended++;
      }
    }
    const blocks = readBlocks(answer());
    await blocks.next().then(
      () => blocks.return(undefined),
      (error: unknown) => expect(String(error)).toContain('small is Int16'),
    );
    expect(ended).toBe(1);
  }
});
