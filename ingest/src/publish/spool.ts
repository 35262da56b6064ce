import { type FileHandle, mkdir, open, readdir, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { readFrames, frameOf } from './frames.ts';
import { createPositionFile, type SpoolPosition } from './position-file.ts';
import { createRefusedFile, refusedPath } from './refused-file.ts';
import { lockSpool } from './spool-lock.ts';

/** The spool holds as much as it may; the events were not taken. */
export class SpoolFullError extends Error {
  constructor() {
    super('the spool is full');
    this.name = 'SpoolFullError';
  }
}

/**
 * Rows waiting on disk while the bus is down, in order. What `append` confirmed survives a kill at any moment; a
 * half-written end is cut off at the next start.
 *
 * How far it was replayed is written down after each part. A crash between publishing a part and that, or a power cut, has rows
 * published again, and the ledger stores each identity once.
 */
export interface Spool {
  /** Nothing is waiting and nothing is being added: what is published now overtakes nothing. */
  readonly isEmpty: boolean;
  /** Whether `peek` would find rows. */
  readonly hasUnread: boolean;
  /** Bytes on disk. */
  readonly bytes: number;
  /** Whether the next event would be refused. */
  readonly isFull: boolean;
  /** Adds rows behind all others. Resolves when they are on the disk. One call at a time. */
  append(rows: readonly string[]): Promise<void>;
  /** The oldest rows, about `bytesMax` of them and at least one frame; null when there are none. */
  peek(bytesMax: number): Promise<{ rows: string[]; end: SpoolPosition } | null>;
  /** Keeps rows that the bus refuses for good, out of the way of the others; the next `openSpool` puts them behind these. */
  putAside(rows: readonly string[]): Promise<void>;
  /** The file where {@link putAside} keeps them. */
  readonly refusedPath: string;
  /** Forgets everything before the position. */
  drop(end: SpoolPosition): Promise<void>;
  close(): Promise<void>;
}

export interface SpoolOptions {
  directory: string;
  bytesMax: number;
  /** A segment is closed at this size, and deleted when it was read. Default 4 MiB. */
  segmentBytesMax?: number;
  /** Told when something on the disk was not as it was written. */
  onDamage?(message: string): void;
}

interface Segment {
  number: number;
  path: string;
  /** Bytes of whole frames. */
  size: number;
  readOffset: number;
  /** Bytes that are no frame were found behind the good ones in the middle of the spool; the file is kept for a person to look at. */
  damaged: boolean;
}

const SEGMENT_NAME = /^(\d{12})\.rows$/;
const segmentPath = (directory: string, number: number) => join(directory, `${String(number).padStart(12, '0')}.rows`);

/**
 * Opens the spool in a directory, which is created when missing, and finds what an earlier process left.
 * @throws SpoolInUseError when another process has it open: each would delete what the other still writes
 */
export async function openSpool(options: SpoolOptions): Promise<Spool> {
  await mkdir(options.directory, { recursive: true, mode: 0o700 });
  const lock = lockSpool(options.directory);
  try {
    return await openLocked(options, () => lock.release());
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function openLocked(options: SpoolOptions, unlock: () => void): Promise<Spool> {
  const { directory, bytesMax } = options;
  const onDamage = options.onDamage ?? (() => undefined);
  const segmentBytesMax = options.segmentBytesMax ?? 4 * 1024 * 1024;
  const positionFile = createPositionFile(directory);
  const position = await positionFile.read();
  await retryRefused(directory, position);
  const segments = await recover(directory, onDamage);
  const refused = createRefusedFile(directory, () => syncDirectory(directory));
  /** The segment being written; only ever the last. */
  let writer: FileHandle | null = null;
  let nextNumber = Math.max(segments.at(-1)?.number ?? 0, position?.segment ?? 0) + 1;
  let appending = false;

  const bytes = () => segments.reduce((sum, segment) => sum + segment.size, refused.bytes);
  const unread = () => segments.some((segment) => segment.readOffset < segment.size);

  async function startSegment(): Promise<Segment> {
    const number = nextNumber++;
    const path = segmentPath(directory, number);
    const handle = await open(path, 'ax', 0o600);
    try {
      // Without this the file's name could be gone after a power cut, and its rows with it.
      await syncDirectory(directory);
    } catch (error) {
      await handle.close();
      throw error;
    }
    writer = handle;
    const segment = { number, path, size: 0, readOffset: 0, damaged: false };
    segments.push(segment);
    return segment;
  }

  async function finishSegment(): Promise<void> {
    const handle = writer;
    writer = null;
    await handle?.close();
  }

  function markRead(end: SpoolPosition): void {
    for (const segment of segments) {
      if (segment.number < end.segment) segment.readOffset = segment.size;
      else if (segment.number === end.segment) {
        segment.readOffset = Math.max(segment.readOffset, Math.min(end.offset, segment.size));
      }
    }
  }

  async function deleteFinished(): Promise<void> {
    for (;;) {
      const first = segments[0];
      if (first === undefined) break;
      if (first.readOffset < first.size || (appending && segments.length === 1)) return;
      if (segments.length === 1) await finishSegment();
      segments.shift();
      await (first.damaged ? rename(first.path, `${first.path}.damaged`) : unlink(first.path));
    }
    await positionFile.remove();
  }

  if (position !== null) markRead(position);
  await deleteFinished();

  return {
    get isEmpty() {
      return !appending && !unread();
    },
    get hasUnread() {
      return unread();
    },
    get bytes() {
      return bytes();
    },
    get isFull() {
      return bytes() >= bytesMax;
    },
    async append(rows) {
      if (appending) throw new Error('append was called before the last one ended');
      const frame = frameOf(rows);
      if (bytes() + frame.length > bytesMax) throw new SpoolFullError();
      appending = true;
      try {
        let segment = segments.at(-1);
        if (writer !== null && segment !== undefined && segment.size >= segmentBytesMax) await finishSegment();
        if (writer === null || segment === undefined) segment = await startSegment();
        try {
          await writer!.write(frame, 0, frame.length, segment.size);
          await writer!.datasync();
        } catch (error) {
          // What was written in part lies beyond `size` and is never read; a new segment keeps clear of it.
          await finishSegment().catch(() => undefined);
          throw error;
        }
        segment.size += frame.length;
      } finally {
        appending = false;
      }
    },
    async peek(bytesMaxToRead) {
      for (const segment of segments) {
        if (segment.readOffset >= segment.size) continue;
        const handle = await open(segment.path, 'r');
        try {
          const found = await readFrames(handle, segment.readOffset, segment.size, bytesMaxToRead);
          if (found.rows.length === 0) {
            onDamage(`${segment.path}: rows that were written cannot be read back; the rest of it is left out`);
            segment.damaged = true;
            segment.readOffset = segment.size;
            continue;
          }
          return { rows: found.rows, end: { segment: segment.number, offset: found.end } };
        } finally {
          await handle.close();
        }
      }
      return null;
    },
    async putAside(rows) {
      if (bytes() >= bytesMax) throw new SpoolFullError();
      await refused.append(rows);
    },
    refusedPath: refused.path,
    async drop(end) {
      markRead(end);
      await positionFile.write(end).catch((error: unknown) => {
        onDamage(`how far the spool was read cannot be written, a restart publishes it again: ${String(error)}`);
      });
      await deleteFinished();
    },
    async close() {
      await finishSegment();
      await positionFile.close();
      unlock();
    },
  };
}

/** Makes a segment, the last, of what an earlier process put aside: the topic may have been put right since. */
async function retryRefused(directory: string, position: SpoolPosition | null): Promise<void> {
  const last = (await segmentNames(directory)).at(-1);
  const number = Math.max(last === undefined ? 0 : Number(last.slice(0, 12)), position?.segment ?? 0) + 1;
  await rename(refusedPath(directory), segmentPath(directory, number)).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  });
}

async function segmentNames(directory: string): Promise<string[]> {
  return (await readdir(directory)).filter((name) => SEGMENT_NAME.test(name)).sort();
}

async function recover(directory: string, onDamage: (message: string) => void): Promise<Segment[]> {
  const names = await segmentNames(directory);
  const segments: Segment[] = [];
  for (const [index, name] of names.entries()) {
    const path = join(directory, name);
    const length = (await stat(path)).size;
    const handle = await open(path, 'r+');
    try {
      let size = 0;
      for (;;) {
        const { rows, end } = await readFrames(handle, size, length, 1024 * 1024);
        if (rows.length === 0) break;
        size = end;
      }
      const isLast = index === names.length - 1;
      if (size < length) {
        onDamage(
          `${path}: the last ${length - size} of ${length} bytes are no whole frame${isLast ? ' and were cut off' : ''}`,
        );
        if (isLast) {
          await handle.truncate(size);
          await handle.sync();
        }
      }
      if (size === 0 && (isLast || length === 0)) await unlink(path);
      else
        segments.push({
          number: Number(name.slice(0, 12)),
          path,
          size,
          readOffset: 0,
          damaged: size < length && !isLast,
        });
    } finally {
      await handle.close();
    }
  }
  return segments;
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
