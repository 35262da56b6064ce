import type { FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';

/** Marks the start of a frame; "LWS1" before frames named their row version, "LWS2" since. */
const MAGIC_1 = 0x3153574c;
const MAGIC_2 = 0x3253574c;
const MAGIC_START = Buffer.from('LWS');
/** The row version of everything that was written as LWS1. */
const VERSION_OF_MAGIC_1 = '1';
/** Magic, length of the payload, CRC-32 of the payload; all little-endian. */
const HEADER_BYTES = 12;
/** Longer than anything that was ever written; a larger length in a header is damage, not a reason to allocate. */
const PAYLOAD_BYTES_MAX = 64 * 1024 * 1024;

/** Characters of rows in one frame, unless a single row has more. */
const FRAME_CHARS_MAX = 64 * 1024;
/** Bytes of a frame with that many characters at most; each is up to 3 bytes of UTF-8. */
export const FRAME_BYTES_MAX = 3 * FRAME_CHARS_MAX + 1024;

/** Rows of one row version, as they were in a frame or in several. */
export interface FramedRows {
  rows: string[];
  /** How the columns of these rows are to be read: the value that goes into the record's header. */
  version: string;
}

/** Rows as one frame of the spool. The payload is the row version and then the rows, each on a line. */
export function frameOf(rows: readonly string[], version: string): Buffer {
  const text = `${version}\n${rows.join('\n')}`;
  const length = Buffer.byteLength(text, 'utf8');
  if (length > PAYLOAD_BYTES_MAX) throw new RangeError(`a frame of ${length} bytes could not be read back`);
  const frame = Buffer.allocUnsafe(HEADER_BYTES + length);
  frame.writeUInt32LE(MAGIC_2, 0);
  frame.writeUInt32LE(length, 4);
  frame.write(text, HEADER_BYTES, 'utf8');
  frame.writeUInt32LE(crc32(frame.subarray(HEADER_BYTES)), 8);
  return frame;
}

/** Rows as frames of a bounded size, in order. */
export function* framesOf(rows: readonly string[], version: string): Generator<{ frame: Buffer; rows: number }> {
  let start = 0;
  let chars = 0;
  for (const [index, row] of rows.entries()) {
    if (index > start && chars + row.length > FRAME_CHARS_MAX) {
      yield { frame: frameOf(rows.slice(start, index), version), rows: index - start };
      start = index;
      chars = 0;
    }
    chars += row.length + 1;
  }
  if (start < rows.length) yield { frame: frameOf(rows.slice(start), version), rows: rows.length - start };
}

/**
 * Reads whole frames from an offset: as many of one row version as fit in `bytesMax`, and one however large it is.
 * @param limit bytes of the file that count
 * @returns the rows, and where the last whole frame ended; no rows when there is none at the offset
 */
export async function readFrames(
  handle: FileHandle,
  offset: number,
  limit: number,
  bytesMax: number,
): Promise<FramedRows & { end: number }> {
  let buffer = await readAt(handle, offset, Math.min(Math.max(bytesMax, HEADER_BYTES), limit - offset));
  const first = payloadLength(buffer, 0);
  if (first !== null && HEADER_BYTES + first > buffer.length && offset + HEADER_BYTES + first <= limit) {
    buffer = await readAt(handle, offset, HEADER_BYTES + first);
  }
  const read: FramedRows = { rows: [], version: '' };
  let at = 0;
  for (;;) {
    const frame = frameAt(buffer, at);
    if (frame === null || (at > 0 && frame.version !== read.version)) break;
    read.version = frame.version;
    for (const row of frame.rows) read.rows.push(row);
    at = frame.end;
  }
  return { ...read, end: offset + at };
}

/** Where the next whole frame begins, at an offset or behind it; null when there is none. For files with damage in them. */
export async function findFrame(handle: FileHandle, offset: number, limit: number): Promise<number | null> {
  const buffer = await readAt(handle, offset, limit - offset);
  for (let at = buffer.indexOf(MAGIC_START); at !== -1; at = buffer.indexOf(MAGIC_START, at + 1)) {
    if (frameAt(buffer, at) !== null) return offset + at;
  }
  return null;
}

function frameAt(buffer: Buffer, at: number): (FramedRows & { end: number }) | null {
  const length = payloadLength(buffer, at);
  const end = at + HEADER_BYTES + (length ?? 0);
  if (length === null || end > buffer.length) return null;
  const payload = buffer.subarray(at + HEADER_BYTES, end);
  if (crc32(payload) !== buffer.readUInt32LE(at + 8)) return null;
  const rows = payload.toString('utf8').split('\n');
  return buffer.readUInt32LE(at) === MAGIC_1
    ? { rows, version: VERSION_OF_MAGIC_1, end }
    : { version: rows.shift()!, rows, end };
}

function payloadLength(buffer: Buffer, at: number): number | null {
  if (at + HEADER_BYTES > buffer.length) return null;
  const magic = buffer.readUInt32LE(at);
  if (magic !== MAGIC_1 && magic !== MAGIC_2) return null;
  const length = buffer.readUInt32LE(at + 4);
  return length <= PAYLOAD_BYTES_MAX ? length : null;
}

async function readAt(handle: FileHandle, offset: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(Math.max(0, length));
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}
