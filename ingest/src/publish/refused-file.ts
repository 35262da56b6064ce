import { constants, open } from 'node:fs/promises';
import { join } from 'node:path';
import { frameOf } from './frames.ts';

/** Rows that the bus refuses for good, kept in a file until the next start tries them again. */
export interface RefusedFile {
  readonly path: string;
  readonly bytes: number;
  /** Adds rows. Resolves when they are on the disk. One call at a time. */
  append(rows: readonly string[]): Promise<void>;
}

/** Where a spool directory keeps refused rows; in the form of a segment, so that it can become one. */
export const refusedPath = (directory: string) => join(directory, 'refused.rows');

/** @param sync makes the file's name durable, after it was created */
export function createRefusedFile(directory: string, sync: () => Promise<void>): RefusedFile {
  const path = refusedPath(directory);
  let bytes = 0;
  return {
    path,
    get bytes() {
      return bytes;
    },
    async append(rows) {
      const frame = frameOf(rows);
      const handle = await open(path, constants.O_WRONLY | constants.O_CREAT, 0o600);
      try {
        if (bytes === 0) await sync();
        // At the end of what is known to be whole: what an earlier failure left half-written is written over.
        await handle.write(frame, 0, frame.length, bytes);
        await handle.datasync();
        bytes += frame.length;
      } finally {
        await handle.close();
      }
    },
  };
}
