import { type FileHandle, open, readdir, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { findFrame, type FramedRows, readFrames } from './frames.ts';
import type { SpoolPosition } from './position-file.ts';
import { refusedPath } from './refused-file.ts';

/** One file of the spool. */
export interface Segment {
  readonly number: number;
  readonly path: string;
  /** Where its last whole frame ends. */
  size: number;
  readOffset: number;
  /** Bytes that are no frame stand before good ones, or in the middle of the spool; the file is kept for a person to look at. */
  damaged: boolean;
  /** It holds what the bus refused, for another try: that has a limit of its own. */
  readonly retried: boolean;
}

const SEGMENT_NAME = /^(\d{12})\.(rows|retry)$/;
const numbered = (number: number) => String(number).padStart(12, '0');
export const segmentPath = (directory: string, number: number) => join(directory, `${numbered(number)}.rows`);

/** Makes a segment, the last, of what an earlier process put aside: the topic may have been put right since. */
export async function retryRefused(directory: string, position: SpoolPosition | null): Promise<void> {
  const last = (await segmentNames(directory)).at(-1);
  const number = Math.max(last === undefined ? 0 : Number(last.slice(0, 12)), position?.segment ?? 0) + 1;
  await rename(refusedPath(directory), join(directory, `${numbered(number)}.retry`)).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  });
}

/** Finds what an earlier process left. A half-written end of the last segment is cut off. */
export async function recoverSegments(directory: string, onDamage: (message: string) => void): Promise<Segment[]> {
  const names = await segmentNames(directory);
  const segments: Segment[] = [];
  for (const [index, name] of names.entries()) {
    const path = join(directory, name);
    const length = (await stat(path)).size;
    const handle = await open(path, 'r+');
    try {
      const { size, holes } = await measure(handle, length);
      for (const { from, to } of holes) onDamage(`${path}: bytes ${from} to ${to} are no whole frame and are left out`);
      const isLast = index === names.length - 1;
      if (size < length) {
        const cut = isLast ? ' and were cut off' : '';
        onDamage(`${path}: the last ${length - size} of ${length} bytes are no whole frame${cut}`);
        if (isLast) {
          await handle.truncate(size);
          await handle.sync();
        }
      }
      if (size === 0 && (isLast || length === 0)) await unlink(path);
      else {
        const damaged = holes.length > 0 || (size < length && !isLast);
        const number = Number(name.slice(0, 12));
        segments.push({ number, path, size, readOffset: 0, damaged, retried: name.endsWith('.retry') });
      }
    } finally {
      await handle.close();
    }
  }
  return segments;
}

/** Where the last whole frame of a file ends, and what stands between whole frames. */
async function measure(handle: FileHandle, length: number): Promise<{ size: number; holes: Hole[] }> {
  const holes: Hole[] = [];
  let size = 0;
  for (;;) {
    const { rows, end } = await readFrames(handle, size, length, 1024 * 1024);
    if (rows.length > 0) {
      size = end;
      continue;
    }
    const next = await findFrame(handle, size + 1, length);
    if (next === null) return { size, holes };
    holes.push({ from: size, to: next });
    size = next;
  }
}

interface Hole {
  from: number;
  to: number;
}

/**
 * The oldest rows of a segment that were not read: whole frames, about `bytesMax` of them and at least one. What can't be read is passed
 * over and marks the segment.
 * @returns null when nothing more can be read, which leaves the segment read to its end
 */
export async function readSegment(
  segment: Segment,
  bytesMax: number,
  onDamage: (message: string) => void,
): Promise<(FramedRows & { end: SpoolPosition }) | null> {
  const handle = await open(segment.path, 'r');
  try {
    while (segment.readOffset < segment.size) {
      const { rows, version, end } = await readFrames(handle, segment.readOffset, segment.size, bytesMax);
      if (rows.length > 0) return { rows, version, end: { segment: segment.number, offset: end } };
      const next = (await findFrame(handle, segment.readOffset + 1, segment.size)) ?? segment.size;
      if (!segment.damaged) {
        onDamage(`${segment.path}: bytes ${segment.readOffset} to ${next} cannot be read back and are left out`);
      }
      segment.damaged = true;
      segment.readOffset = next;
    }
    return null;
  } finally {
    await handle.close();
  }
}

/** Makes names in a directory durable. Without it a file could be gone after a power cut, and its rows with it. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function segmentNames(directory: string): Promise<string[]> {
  return (await readdir(directory)).filter((name) => SEGMENT_NAME.test(name)).sort();
}
