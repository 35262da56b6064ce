import type { BusRecord, OutgoingRecord } from '../../../contract/bus.ts';

/**
 * A chunk is one value in the log: consecutive records of one partition, whose first offset is in the chunk's key.
 * Layout, little endian: `u32 count | f64 timestamp`, then per record
 * `u32 keyBytes (0xffffffff: no key) | u16 headers | u32 valueBytes | key | (u16 nameBytes | u32 textBytes | name | text)… | value`.
 */

const CHUNK_HEAD_BYTES = 12;
const RECORD_HEAD_BYTES = 10;
const HEADER_HEAD_BYTES = 6;
const NO_KEY = 0xffffffff;

/** Bytes that a record takes in a chunk, so that chunks can be cut before they are encoded. */
export function encodedBytes(record: OutgoingRecord): number {
  let bytes = RECORD_HEAD_BYTES + (record.key === null ? 0 : Buffer.byteLength(record.key)) + record.value.length;
  if (record.headers)
    for (const name in record.headers)
      bytes += HEADER_HEAD_BYTES + Buffer.byteLength(name) + Buffer.byteLength(record.headers[name]!);
  return bytes;
}

/**
 * @param bytes sum of {@link encodedBytes} of the records
 * @param timestamp epoch milliseconds
 */
export function encodeChunk(records: OutgoingRecord[], bytes: number, timestamp: number): Buffer {
  // An own allocation, not a slice of Node's pool: it is moved to the writer's thread.
  const chunk = Buffer.allocUnsafeSlow(CHUNK_HEAD_BYTES + bytes);
  chunk.writeUInt32LE(records.length, 0);
  chunk.writeDoubleLE(timestamp, 4);
  let at = CHUNK_HEAD_BYTES;
  for (const { key, value, headers } of records) {
    const start = at;
    at += RECORD_HEAD_BYTES;
    const keyBytes = key === null ? 0 : chunk.write(key, at);
    at += keyBytes;
    let headerCount = 0;
    if (headers)
      for (const name in headers) {
        const nameBytes = chunk.write(name, at + HEADER_HEAD_BYTES);
        const textBytes = chunk.write(headers[name]!, at + HEADER_HEAD_BYTES + nameBytes);
        chunk.writeUInt16LE(nameBytes, at);
        chunk.writeUInt32LE(textBytes, at + 2);
        at += HEADER_HEAD_BYTES + nameBytes + textBytes;
        headerCount++;
      }
    chunk.writeUInt32LE(key === null ? NO_KEY : keyBytes, start);
    chunk.writeUInt16LE(headerCount, start + 4);
    chunk.writeUInt32LE(value.length, start + 6);
    chunk.set(value, at);
    at += value.length;
  }
  return chunk;
}

export function chunkCount(chunk: Buffer): number {
  return chunk.readUInt32LE(0);
}

export function chunkTimestamp(chunk: Buffer): number {
  return chunk.readDoubleLE(4);
}

/** Appends the records of a chunk whose offset is at least `from`. Values point into the chunk; nothing is copied. */
export function decodeChunk(
  chunk: Buffer,
  partition: number,
  firstOffset: number,
  from: number,
  into: BusRecord[],
): void {
  const count = chunkCount(chunk);
  const timestamp = chunkTimestamp(chunk);
  let at = CHUNK_HEAD_BYTES;
  for (let index = 0; index < count; index++) {
    const keyBytes = chunk.readUInt32LE(at);
    const headerCount = chunk.readUInt16LE(at + 4);
    const valueBytes = chunk.readUInt32LE(at + 6);
    at += RECORD_HEAD_BYTES;
    const wanted = firstOffset + index >= from;
    const keyAt = at;
    if (keyBytes !== NO_KEY) at += keyBytes;
    const headers: [string, string][] = [];
    for (let header = 0; header < headerCount; header++) {
      const nameEnd = at + HEADER_HEAD_BYTES + chunk.readUInt16LE(at);
      const textEnd = nameEnd + chunk.readUInt32LE(at + 2);
      if (wanted)
        headers.push([
          chunk.toString('utf8', at + HEADER_HEAD_BYTES, nameEnd),
          chunk.toString('utf8', nameEnd, textEnd),
        ]);
      at = textEnd;
    }
    if (wanted)
      into.push({
        partition,
        offset: firstOffset + index,
        key: keyBytes === NO_KEY ? null : chunk.toString('utf8', keyAt, keyAt + keyBytes),
        value: chunk.subarray(at, at + valueBytes),
        // Not one by one: of a header called __proto__ an assignment makes none.
        headers: Object.fromEntries(headers),
        timestamp,
      });
    at += valueBytes;
  }
}
