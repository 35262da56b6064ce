import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteBuffer } from './byte-buffer.ts';

/** Any UTF-16: ASCII, other planes, NUL, lone surrogates; short and far beyond the loop's length. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.string({ unit: 'grapheme-ascii', maxLength: 400 }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 300 }).map((units) => String.fromCharCode(...units)),
);

function leb128(value: number): number[] {
  const bytes: number[] = [];
  let rest = BigInt(value);
  for (; rest >= 128n; rest /= 128n) bytes.push(Number(rest % 128n) + 128);
  return [...bytes, Number(rest)];
}

describe('ByteBuffer', () => {
  it('writes every text as the length of its UTF-8 and that UTF-8, whatever stands before it', () => {
    fc.assert(
      fc.property(fc.array(anyText, { maxLength: 8 }), (texts) => {
        const buffer = new ByteBuffer(1);
        for (const text of texts) buffer.writeString(text);
        const expected = texts.map((text) => {
          const utf8 = Buffer.from(text, 'utf8');
          return Buffer.concat([Buffer.from(leb128(utf8.length)), utf8]);
        });
        expect(buffer.content().equals(Buffer.concat(expected))).toBe(true);
      }),
    );
  });

  it.each([0, 1, 42, 43, 95, 96, 97, 127, 128, 16_383, 16_384, 100_000])(
    'writes %i units of one, two and three bytes',
    (length) => {
      for (const unit of ['a', 'é', '€']) {
        const buffer = new ByteBuffer(1);
        buffer.writeString(unit.repeat(length));
        const utf8 = Buffer.from(unit.repeat(length), 'utf8');
        expect(buffer.content().equals(Buffer.concat([Buffer.from(leb128(utf8.length)), utf8]))).toBe(true);
      }
    },
  );

  it('writes counts in LEB128 and integers up to 2^53 - 1 as eight bytes', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (value) => {
        const buffer = new ByteBuffer(1);
        buffer.writeVarUint(value);
        buffer.writeUint64(value);
        const eight = Buffer.alloc(8);
        eight.writeBigUInt64LE(BigInt(value));
        expect([...buffer.content()]).toEqual([...leb128(value), ...eight]);
      }),
    );
  });

  it('forgets its content on start and keeps the memory', () => {
    const buffer = new ByteBuffer(16);
    buffer.writeString('x'.repeat(1000));
    const memory = buffer.bytes;
    buffer.start();
    buffer.writeString('y');
    expect([...buffer.content()]).toEqual([1, 'y'.charCodeAt(0)]);
    expect(buffer.bytes).toBe(memory);
  });
});
