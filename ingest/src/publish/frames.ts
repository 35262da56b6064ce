import type { FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';

/** Marks the start of a frame; "LWS1". */
const MAGIC = 0x3153574c;
/** Magic, length of the payload, CRC-32 of the payload; all little-endian. */
const HEADER_BYTES = 12;
/** Longer than any batch; a larger length in a header is damage, not a reason to allocate. */
const PAYLOAD_BYTES_MAX = 64 * 1024 * 1024;

/** Rows as one frame of the spool. */
export function frameOf(rows: readonly string[]): Buffer {
  const text = rows.join('\n');
  const length = Buffer.byteLength(text, 'utf8');
  const frame = Buffer.allocUnsafe(HEADER_BYTES + length);
  frame.writeUInt32LE(MAGIC, 0);
  frame.writeUInt32LE(length, 4);
  frame.write(text, HEADER_BYTES, 'utf8');
  frame.writeUInt32LE(crc32(frame.subarray(HEADER_BYTES)), 8);
  return frame;
}

/**
 * Reads whole frames from an offset: as many as fit in `bytesMax`, and one however large it is.
 * @param limit bytes of the file that count
 * @returns the rows, and where the last whole frame ended; no rows when there is none at the offset
 */
export async function readFrames(
  handle: FileHandle,
  offset: number,
  limit: number,
  bytesMax: number,
): Promise<{ rows: string[]; end: number }> {
  let buffer = await readAt(handle, offset, Math.min(Math.max(bytesMax, HEADER_BYTES), limit - offset));
  const first = payloadLength(buffer, 0);
  if (first !== null && HEADER_BYTES + first > buffer.length && offset + HEADER_BYTES + first <= limit) {
    buffer = await readAt(handle, offset, HEADER_BYTES + first);
  }
  const rows: string[] = [];
  let at = 0;
  for (;;) {
    const length = payloadLength(buffer, at);
    if (length === null || at + HEADER_BYTES + length > buffer.length) break;
    const payload = buffer.subarray(at + HEADER_BYTES, at + HEADER_BYTES + length);
    if (crc32(payload) !== buffer.readUInt32LE(at + 8)) break;
    for (const row of payload.toString('utf8').split('\n')) rows.push(row);
    at += HEADER_BYTES + length;
  }
  return { rows, end: offset + at };
}

function payloadLength(buffer: Buffer, at: number): number | null {
  if (at + HEADER_BYTES > buffer.length || buffer.readUInt32LE(at) !== MAGIC) return null;
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
