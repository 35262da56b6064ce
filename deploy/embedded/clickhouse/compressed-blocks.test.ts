import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compressedBlocks, createBlockWriter } from './compressed-blocks.ts';
import { readBlocks } from './contract/read-blocks.ts';

test('what is put into blocks comes out of them, however it was cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(200_000), fc.nat(255)), { maxLength: 4 }),
      fc.uint8Array({ maxLength: 300 }),
      async (runs, head) => {
        const chunks = [Buffer.from(head), ...runs.map(([length, byte]) => Buffer.alloc(length, byte))];
        const writer = createBlockWriter();
        for (const chunk of chunks) writer.write(chunk);
        writer.end();
        const whole = Buffer.concat(chunks);
        expect(readBlocks(Buffer.concat(await writer.toArray())).equals(whole)).toBe(true);
        expect(readBlocks(Buffer.concat(compressedBlocks(whole))).equals(whole)).toBe(true);
      },
    ),
    { numRuns: 30 },
  );
});

test('a run of literals is counted right at every length at which its form changes', () => {
  for (const length of [0, 1, 14, 15, 16, 269, 270, 271, 524, 525, 526, 65_535, 65_536, 65_537]) {
    const bytes = Buffer.alloc(length, 7);
    expect(readBlocks(Buffer.concat(compressedBlocks(bytes)))).toHaveLength(length);
  }
});
