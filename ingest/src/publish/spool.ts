import { type FileHandle, mkdir, open, rename, unlink } from 'node:fs/promises';
import { FRAME_BYTES_MAX, type FramedRows, framesOf } from './frames.ts';
import { createPositionFile, type SpoolPosition } from './position-file.ts';
import { createRefusedFile, RefusedFullError } from './refused-file.ts';
import { readSegment, recoverSegments, retryRefused, type Segment, segmentPath, syncDirectory } from './segments.ts';
import { lockSpool } from './spool-lock.ts';

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
  /** Bytes on disk that wait for the bus. */
  readonly bytes: number;
  /** Bytes that the bus refused. */
  readonly refusedBytes: number;
  /** Why the next rows may not be taken, as a sentence; null when they are. */
  readonly fullBecause: string | null;
  /**
   * Adds rows behind all others. One call at a time.
   * @returns how many of them, from the first on, are on the disk: less than all only when no more fit
   */
  append(added: FramedRows): Promise<number>;
  /** The oldest rows, all of one row version, about `bytesMax` of them and at least one frame; null when there are none. */
  peek(bytesMax: number): Promise<(FramedRows & { end: SpoolPosition }) | null>;
  /**
   * Keeps rows that the bus refuses for good, out of the way of the others; the next `openSpool` puts them behind these.
   * @throws RefusedFullError when they don't fit; none of them is kept then
   */
  putAside(refused: FramedRows): Promise<void>;
  /** The file where {@link putAside} keeps them. */
  readonly refusedPath: string;
  /** Forgets everything before the position. */
  drop(end: SpoolPosition): Promise<void>;
  close(): Promise<void>;
}

export interface SpoolOptions {
  directory: string;
  bytesMax: number;
  /** What {@link Spool.putAside} may hold, beside `bytesMax`. Default 16 MiB. */
  refusedBytesMax?: number;
  /** A segment is closed at this size, and deleted when it was read. Default 4 MiB. */
  segmentBytesMax?: number;
  /** Told when something on the disk was not as it was written. */
  onDamage?(message: string): void;
}

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
  const segments = await recoverSegments(directory, onDamage);
  const refused = createRefusedFile(directory, options.refusedBytesMax ?? 16 * 1024 * 1024, () =>
    syncDirectory(directory),
  );
  /** The last rows that the bus refused did not fit, and nothing was read since. */
  let refusedIsFull = false;
  /** The segment being written; only ever the last. */
  let writer: FileHandle | null = null;
  let nextNumber = Math.max(segments.at(-1)?.number ?? 0, position?.segment ?? 0) + 1;
  let appending = false;

  const bytes = () => segments.reduce((sum, segment) => sum + segment.size, 0);
  /** What counts towards the limit. */
  const bytesOfAppended = () => segments.reduce((sum, { size, retried }) => sum + (retried ? 0 : size), 0);
  const unread = () => segments.some((segment) => segment.readOffset < segment.size);

  async function startSegment(): Promise<Segment> {
    const number = nextNumber++;
    const path = segmentPath(directory, number);
    const handle = await open(path, 'ax', 0o600);
    try {
      await syncDirectory(directory);
    } catch (error) {
      await handle.close();
      throw error;
    }
    writer = handle;
    const segment: Segment = { number, path, size: 0, readOffset: 0, damaged: false, retried: false };
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
    get refusedBytes() {
      return refused.bytes;
    },
    get fullBecause() {
      if (bytesOfAppended() + FRAME_BYTES_MAX <= bytesMax) return null;
      return refusedIsFull
        ? 'The spool on disk is full, because the message bus refuses events, and so is the file for those.'
        : 'The spool on disk is full, because the message bus is not reachable.';
    },
    async append({ rows, version }) {
      if (appending) throw new Error('append was called before the last one ended');
      let room = bytesMax - bytesOfAppended();
      const frames: Buffer[] = [];
      let taken = 0;
      for (const { frame, rows: count } of framesOf(rows, version)) {
        room -= frame.length;
        if (room < 0) break;
        frames.push(frame);
        taken += count;
      }
      if (taken === 0) return 0;
      appending = true;
      try {
        let segment = segments.at(-1);
        if (writer !== null && segment !== undefined && segment.size >= segmentBytesMax) await finishSegment();
        if (writer === null || segment === undefined) segment = await startSegment();
        let end = segment.size;
        try {
          for (const frame of frames) {
            await writer!.write(frame, 0, frame.length, end);
            end += frame.length;
          }
          await writer!.datasync();
        } catch (error) {
          // What was written in part lies beyond `size` and is never read; a new segment keeps clear of it.
          await finishSegment().catch(() => undefined);
          throw error;
        }
        segment.size = end;
      } finally {
        appending = false;
      }
      return taken;
    },
    async peek(bytesMaxToRead) {
      for (const segment of segments) {
        if (segment.readOffset >= segment.size) continue;
        const found = await readSegment(segment, bytesMaxToRead, onDamage);
        if (found !== null) return found;
      }
      return null;
    },
    async putAside({ rows, version }) {
      try {
        await refused.append([...framesOf(rows, version)].map(({ frame }) => frame));
      } catch (error) {
        refusedIsFull ||= error instanceof RefusedFullError;
        throw error;
      }
    },
    refusedPath: refused.path,
    async drop(end) {
      refusedIsFull = false;
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
