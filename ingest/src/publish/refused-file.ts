import { constants, open } from 'node:fs/promises';
import { join } from 'node:path';

/** The file of refused rows holds as much as it may; these were not taken. */
export class RefusedFullError extends Error {
  constructor(path: string) {
    super(`${path} is full of events that the bus refuses: see why it refuses them, then restart ingest`);
    this.name = 'RefusedFullError';
  }
}

/** Rows that the bus refuses for good, kept in a file until the next start tries them again. */
export interface RefusedFile {
  readonly path: string;
  readonly bytes: number;
  /**
   * Adds frames of rows. Resolves when they are on the disk. One call at a time.
   * @throws RefusedFullError when they don't fit; none of them is taken then
   */
  append(frames: readonly Buffer[]): Promise<void>;
}

/** Where a spool directory keeps refused rows; in the form of a segment, so that it can become one. */
export const refusedPath = (directory: string) => join(directory, 'refused.rows');

/**
 * @param sync makes the file's name durable, after it was created
 * @param bytesMax what it may hold; apart from what the spool may, so that what is refused leaves the room of the rest alone
 */
export function createRefusedFile(directory: string, bytesMax: number, sync: () => Promise<void>): RefusedFile {
  const path = refusedPath(directory);
  let bytes = 0;
  return {
    path,
    get bytes() {
      return bytes;
    },
    async append(frames) {
      const added = Buffer.concat(frames);
      if (bytes + added.length > bytesMax) throw new RefusedFullError(path);
      const handle = await open(path, constants.O_WRONLY | constants.O_CREAT, 0o600);
      try {
        if (bytes === 0) await sync();
        // At the end of what is known to be whole: what an earlier failure left half-written is written over.
        await handle.write(added, 0, added.length, bytes);
        await handle.datasync();
        bytes += added.length;
      } finally {
        await handle.close();
      }
    },
  };
}
