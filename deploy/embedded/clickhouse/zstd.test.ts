import { zstdCompressSync } from 'node:zlib';

import fc from 'fast-check';
import { expect, test } from 'vitest';

import { unpackZstd } from './zstd.ts';

async function unpacked(chunks: Iterable<Buffer> | AsyncIterable<Buffer>): Promise<string> {
  const source = (async function* () {
    yield* chunks;
  })();
  let text = '';
  for await (const chunk of unpackZstd(source)) text += chunk.toString('latin1');
  return text;
}

/** A buffer in pieces that end at these places. */
function cutAt(whole: Buffer, places: number[]): Buffer[] {
  const ends = [...new Set(places.map((place) => place % (whole.length + 1))), whole.length].sort((a, b) => a - b);
  return ends.map((end, index) => whole.subarray(ends[index - 1] ?? 0, end)).filter((piece) => piece.length > 0);
}

test('a body is the text of all its frames, however it is cut into frames and chunks', async () => {
  const text = fc.oneof(fc.string({ unit: 'binary-ascii', maxLength: 50 }), fc.constant('x'.repeat(300_000)));
  await fc.assert(
    fc.asyncProperty(
      fc.array(text, { minLength: 1, maxLength: 5 }),
      fc.array(fc.nat(), { maxLength: 8 }),
      async (texts, places) => {
        const body = Buffer.concat(texts.map((part) => zstdCompressSync(part)));
        expect(await unpacked(cutAt(body, places))).toBe(texts.join(''));
      },
    ),
    { numRuns: 100 },
  );
});

test('what is no zstd, breaks off or has too many frames is an error', async () => {
  const body = zstdCompressSync('some text, long enough to be cut in two');
  await expect(unpacked([body, Buffer.from('no zstd')])).rejects.toMatchObject({
    code: expect.stringMatching(/^ZSTD_/) as string,
  });
  await expect(unpacked([body.subarray(0, 20)])).rejects.toThrow();
  await expect(unpacked([Buffer.concat(Array.from({ length: 1_001 }, () => body))])).rejects.toThrow(
    /1000 zstd frames/,
  );
  const broken = (async function* () {
    yield body.subarray(0, 20);
    throw new Error('the client went away');
  })();
  await expect(unpacked(broken)).rejects.toThrow('the client went away');
});
