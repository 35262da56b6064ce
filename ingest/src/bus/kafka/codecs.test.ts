import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decompressLz4Frame, lz4Codec, zstdCodec } from './codecs.ts';

const TEXT = Buffer.from('lanewatch '.repeat(20));

describe.each([
  ['lz4', lz4Codec()],
  ['zstd', zstdCodec()],
])('%s codec', (_name, codec) => {
  it('gives back what it was given', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 5_000 }), fc.nat(50), async (bytes, times) => {
        const source = Buffer.concat(Array.from({ length: times + 1 }, () => bytes));
        expect(await codec.decompress(await codec.compress({ buffer: source }))).toEqual(source);
      }),
      { numRuns: 50 },
    );
  });

  it('rejects broken input and never hangs or throws synchronously', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(60), fc.nat(255), async (position, byte) => {
        const packed = await codec.compress({ buffer: TEXT });
        packed[position % packed.length] = byte;
        const result = await codec.decompress(packed).catch((error: unknown) => error);
        expect(Buffer.isBuffer(result) || result instanceof Error).toBe(true);
      }),
    );
    await expect(codec.decompress((await codec.compress({ buffer: TEXT })).subarray(0, 12))).rejects.toThrow();
  });
});

describe('LZ4 frames of other producers', () => {
  const header = (flags: number) => [0x04, 0x22, 0x4d, 0x18, flags, 0x40, 0x00];
  const word = (value: number) => [value & 255, (value >> 8) & 255, (value >> 16) & 255, (value >>> 24) & 255];

  it('skips block and content checksums and takes stored blocks', () => {
    const stored = [...word((0x80000000 | 3) >>> 0), 1, 2, 3, ...word(0xdeadbeef)];
    const frame = Buffer.from([...header(0x74), ...stored, ...word(0), ...word(0xfeedface)]);
    expect([...decompressLz4Frame(frame)]).toEqual([1, 2, 3]);
  });

  it('lets dependent blocks point back into the block before', () => {
    const first = [...word((0x80000000 | 8) >>> 0), 1, 2, 3, 4, 5, 6, 7, 8];
    // Token: no literals, match of 4 bytes, 8 bytes back; then one literal, as a block must end in literals.
    const second = [0x00, 8, 0, 0x10, 9];
    const frame = Buffer.from([...header(0x40), ...first, ...word(second.length), ...second, ...word(0)]);
    expect([...decompressLz4Frame(frame)]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 9]);
  });

  it('refuses a match that points before the first byte', () => {
    const block = [0x10, 7, 200, 0, 0x10, 9];
    expect(() =>
      decompressLz4Frame(Buffer.from([...header(0x60), ...word(block.length), ...block, ...word(0)])),
    ).toThrow(/out of bounds/);
  });
});
