/**
 * Reading Kafka's record batches (format 2, since Kafka 0.11). kafkajs makes a dozen objects and several BigInts of every
 * record, which costs more than everything the detector does with an event; here a batch stays one buffer until its records
 * are handed over, and then each becomes exactly one object.
 */
import type { BusRecord } from '../../../contract/bus.ts';

/** A record batch as it passes through kafkajs, which takes it for one message with the offset of its last record. */
export interface PackedBatch {
  /** Offset of the last record, in decimal digits because kafkajs wants texts. */
  offset: string;
  isControlRecord: boolean;
  /** Of a control batch: tells whether the transaction was aborted. */
  key: Buffer | null;
  batchContext: { producerId: string; inTransaction: boolean };
  packed: {
    records: Buffer;
    count: number;
    firstOffset: number;
    firstTimestamp: number;
    appendTimestamp: number | null;
  };
}

/** Unpacks the records of a compressed batch. */
export type Decompress = (attributes: number, compressed: Buffer) => Promise<Buffer> | null;

/** Position of the byte that tells the format, the same in all of them. */
const MAGIC_AT = 16;
const MAGIC = 2;
const LENGTH_AT = 8;
const BATCH_FROM = 12;
const ATTRIBUTES_AT = 21;
const LAST_OFFSET_DELTA_AT = 23;
const FIRST_TIMESTAMP_AT = 27;
const MAX_TIMESTAMP_AT = 35;
const PRODUCER_ID_AT = 43;
const COUNT_AT = 57;
const RECORDS_AT = 61;

const LOG_APPEND_TIME = 0x08;
const IN_TRANSACTION = 0x10;
const CONTROL = 0x20;

/** Whether a fetched record set is in the format that {@link packBatches} reads. */
export function isCurrentFormat(recordSet: Buffer): boolean {
  return recordSet.length > MAGIC_AT && recordSet[MAGIC_AT] === MAGIC;
}

/** Cuts a fetched record set into its batches. The last one may be cut off, because a fetch ends at a byte limit. */
export async function packBatches(recordSet: Buffer, decompress: Decompress): Promise<PackedBatch[]> {
  const batches: PackedBatch[] = [];
  let at = 0;
  while (at + RECORDS_AT <= recordSet.length) {
    const end = at + BATCH_FROM + recordSet.readInt32BE(at + LENGTH_AT);
    if (end > recordSet.length || end < at + RECORDS_AT) break;
    const attributes = recordSet.readInt16BE(at + ATTRIBUTES_AT);
    const firstOffset = readOffset(recordSet, at);
    const body = recordSet.subarray(at + RECORDS_AT, end);
    const records = (await decompress(attributes, body)) ?? body;
    const isControlRecord = (attributes & CONTROL) !== 0;
    batches.push({
      offset: String(firstOffset + recordSet.readInt32BE(at + LAST_OFFSET_DELTA_AT)),
      isControlRecord,
      key: isControlRecord ? firstKey(records) : null,
      batchContext: {
        producerId: recordSet.readBigInt64BE(at + PRODUCER_ID_AT).toString(),
        inTransaction: (attributes & IN_TRANSACTION) !== 0,
      },
      packed: {
        records,
        count: recordSet.readInt32BE(at + COUNT_AT),
        firstOffset,
        firstTimestamp: readTimestamp(recordSet, at + FIRST_TIMESTAMP_AT),
        appendTimestamp: attributes & LOG_APPEND_TIME ? readTimestamp(recordSet, at + MAX_TIMESTAMP_AT) : null,
      },
    });
    at = end;
  }
  return batches;
}

/**
 * Appends the records of a batch whose offset is at least `from`. Values point into the fetched buffer. Records in a row with equal
 * headers share one frozen object: producers send the same headers with every record.
 */
export function unpackRecords({ packed }: PackedBatch, partition: number, from: number, into: BusRecord[]): void {
  const { records, count, firstOffset, firstTimestamp, appendTimestamp } = packed;
  const reader: VarintReader = { buffer: records, at: 0 };
  let headers = NO_HEADERS;
  let headersFrom = 0;
  let headersTo = 0;
  for (let index = 0; index < count; index++) {
    const end = readVarint(reader) + reader.at;
    reader.at++; // attributes, unused by Kafka
    const timestampDelta = readVarint(reader);
    const offset = firstOffset + readVarint(reader);
    if (offset < from) {
      reader.at = end;
      continue;
    }
    const keyBytes = readVarint(reader);
    const keyAt = reader.at;
    if (keyBytes > 0) reader.at += keyBytes;
    const valueBytes = readVarint(reader);
    const valueAt = reader.at;
    if (valueBytes > 0) reader.at += valueBytes;
    if (!sameBytes(records, headersFrom, headersTo, reader.at, end)) {
      headersFrom = reader.at;
      headersTo = end;
      headers = readHeaders(reader);
    }
    into.push({
      partition,
      offset,
      key: keyBytes < 0 ? null : records.toString('utf8', keyAt, keyAt + keyBytes),
      value: valueBytes > 0 ? records.subarray(valueAt, valueAt + valueBytes) : EMPTY,
      headers,
      timestamp: appendTimestamp ?? firstTimestamp + timestampDelta,
    });
    reader.at = end;
  }
}

const EMPTY = Buffer.alloc(0);
const NO_HEADERS: Record<string, string> = Object.freeze({});

interface VarintReader {
  buffer: Buffer;
  at: number;
}

/** A zigzag varint of up to 53 bits; longer ones occur only in timestamps that no clock shows. */
function readVarint(reader: VarintReader): number {
  const { buffer } = reader;
  let byte = buffer[reader.at++]!;
  // Lengths below 64 are most of what there is.
  if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1);
  let low = byte & 0x7f;
  let shift = 7;
  while (shift < 28) {
    byte = buffer[reader.at++]!;
    low |= (byte & 0x7f) << shift;
    shift += 7;
    if (byte < 0x80) return (low >>> 1) ^ -(low & 1);
  }
  let value = low;
  let factor = 2 ** 28;
  do {
    if (reader.at >= buffer.length) throw new Error('Kafka record batch: cut off');
    byte = buffer[reader.at++]!;
    value += (byte & 0x7f) * factor;
    factor *= 128;
  } while (byte >= 0x80);
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

function readHeaders(reader: VarintReader): Record<string, string> {
  const count = readVarint(reader);
  if (count <= 0) return NO_HEADERS;
  const headers: [string, string][] = [];
  for (let index = 0; index < count; index++) headers.push([readText(reader), readText(reader)]);
  // Not one by one: of a header called __proto__ an assignment makes none.
  return Object.freeze(Object.fromEntries(headers));
}

function readText(reader: VarintReader): string {
  const bytes = Math.max(0, readVarint(reader));
  const text = reader.buffer.toString('utf8', reader.at, reader.at + bytes);
  reader.at += bytes;
  return text;
}

function sameBytes(buffer: Buffer, from: number, to: number, otherFrom: number, otherTo: number): boolean {
  const length = to - from;
  if (length === 0 || length !== otherTo - otherFrom) return false;
  for (let index = 0; index < length; index++) if (buffer[from + index] !== buffer[otherFrom + index]) return false;
  return true;
}

function firstKey(records: Buffer): Buffer | null {
  const reader: VarintReader = { buffer: records, at: 0 };
  readVarint(reader);
  reader.at++;
  readVarint(reader);
  readVarint(reader);
  const bytes = readVarint(reader);
  return bytes < 0 ? null : records.subarray(reader.at, reader.at + bytes);
}

/** Offsets stay below 2^53 for longer than any log lives. */
function readOffset(buffer: Buffer, at: number): number {
  return buffer.readUInt32BE(at) * 0x1_0000_0000 + buffer.readUInt32BE(at + 4);
}

function readTimestamp(buffer: Buffer, at: number): number {
  return Number(buffer.readBigInt64BE(at));
}

/** What is read of a message that kafkajs has taken apart itself. */
interface KafkaMessage {
  offset: string;
  key: Buffer | null;
  value: Buffer | null;
  timestamp: string;
}

/**
 * Adds the records of what kafkajs hands over, from an offset on. That is a whole batch (kafkajs-patches.ts); single messages come only in
 * formats older than Kafka 0.11.
 */
export function appendRecords(
  message: KafkaMessage | PackedBatch,
  partition: number,
  from: number,
  into: BusRecord[],
): void {
  if ('packed' in message) {
    unpackRecords(message, partition, from, into);
    return;
  }
  const offset = Number(message.offset);
  if (offset < from) return;
  into.push({
    partition,
    offset,
    key: message.key === null ? null : message.key.toString('utf8'),
    value: message.value ?? EMPTY,
    headers: {},
    timestamp: Number(message.timestamp),
  });
}
