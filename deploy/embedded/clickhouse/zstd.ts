import { createZstdDecompress } from 'node:zlib';

import { raise } from './errors.ts';

/** Frames of one body at most: each may cost a decompressor of its own, however little it holds. */
const FRAMES_MAX = 1_000;

/**
 * Unpacks a zstd body as it comes. Several frames in a row are one body, but Node's decompressor ends with the first frame that ends
 * inside a chunk, and says nothing of what follows it. Throws the decompressor's error, the source's, or INCORRECT_DATA for too many frames.
 */
export async function* unpackZstd(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const chunks = source[Symbol.asyncIterator]();
  /** What came and was not unpacked. */
  let rest: Buffer = Buffer.alloc(0);
  for (let frames = 1; ; frames += 1) {
    if (frames > FRAMES_MAX) {
      throw raise(
        'INCORRECT_DATA',
        `The request body has more than ${String(FRAMES_MAX)} zstd frames: send it as one.`,
      );
    }
    const frame = createZstdDecompress();
    const fed = (async () => {
      for (;;) {
        if (rest.length === 0) {
          const step = await chunks.next();
          if (step.done === true) break;
          rest = step.value;
        }
        const before = frame.bytesWritten;
        // Its error comes out of the frame.
        const failed = await new Promise<unknown>((resolve) => frame.write(rest, resolve));
        rest = rest.subarray(frame.bytesWritten - before);
        if (failed || rest.length > 0) return;
      }
      frame.end();
    })().catch((error: unknown) => {
      frame.destroy(error as Error);
    });
    yield* frame as AsyncIterable<Buffer>;
    await fed;
    if (rest.length === 0) return;
  }
}
