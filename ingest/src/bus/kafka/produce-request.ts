/**
 * Writing produce requests. kafkajs copies every byte eight times through zeroed buffers of the next power of two and takes the
 * checksum a byte at a time, which together cost more than validating the events; here a request is measured first and then
 * written once, where it stays.
 */
import { crc32c } from '@node-rs/crc32';

/** A message that needs none of kafkajs' conversions. */
export interface PlainMessage {
  key: string | null;
  value: Buffer;
  headers?: Record<string, string>;
}

export interface PartitionMessages<Message = PlainMessage> {
  partition: number;
  messages: Message[];
}

export interface TopicMessages<Message = PlainMessage> {
  topic: string;
  partitions: PartitionMessages<Message>[];
}

export interface ProduceRequest {
  acks: number;
  /** How long the broker may wait for its replicas, in milliseconds. */
  timeout: number;
  topicData: TopicMessages[];
}

/** Base offset, length, leader epoch, magic, checksum; what follows is covered by the checksum. */
const BATCH_CHECKED_FROM = 8 + 4 + 4 + 1 + 4;
/** The checked part before the records: attributes, last offset delta, two timestamps, producer, its epoch, sequence, count. */
const BATCH_FIXED_BYTES = BATCH_CHECKED_FROM + 2 + 4 + 8 + 8 + 8 + 2 + 4 + 4;
/** Base offset and length itself are not part of a batch's length. */
const BATCH_LENGTH_FROM = 8 + 4;
const MAGIC = 2;

/** Whether a message can be written as it stands. */
export function isPlainMessage(message: object): message is PlainMessage {
  const { key, value, headers, timestamp } = message as Record<string, unknown>;
  return (
    (key === null || typeof key === 'string') &&
    Buffer.isBuffer(value) &&
    timestamp === undefined &&
    (headers === undefined || Object.values(headers as object).every((header) => typeof header === 'string'))
  );
}

/** Bodies with free bytes in front of them, and how many, so that the frame needs no copy of two megabytes. */
const roomInFront = new WeakMap<Buffer, number>();
/** For the frame of a client whose name is not unusually long. */
const FRAME_ROOM_BYTES = 64;

/** The body with `byteCount` more bytes in front of it, whose content is anything; a copy where there is no room for them. */
export function withRoomInFront(body: Buffer, byteCount: number): Buffer {
  const room = roomInFront.get(body) ?? 0;
  if (room >= byteCount) return Buffer.from(body.buffer, body.byteOffset - byteCount, byteCount + body.length);
  const copy = Buffer.allocUnsafeSlow(byteCount + body.length);
  body.copy(copy, byteCount);
  return copy;
}

/**
 * The body of a produce request, versions 3 to 7, without transaction, idempotence or compression: what
 * https://kafka.apache.org/protocol#The_Messages_Produce and https://kafka.apache.org/documentation/#recordbatch describe.
 * @param nowMs timestamp of all records, epoch milliseconds
 */
export function encodeProduceRequest({ acks, timeout, topicData }: ProduceRequest, nowMs: number): Buffer {
  const headers = new HeaderBlocks();
  const batches = topicData.map(({ partitions }) => partitions.map(({ messages }) => measureBatch(messages, headers)));
  let length = 2 + 2 + 4 + 4;
  topicData.forEach(({ topic }, index) => {
    length += 2 + Buffer.byteLength(topic) + 4;
    for (const batch of batches[index]!) length += 4 + 4 + batch.bytes;
  });

  const out = new Writer(FRAME_ROOM_BYTES + length);
  out.at = FRAME_ROOM_BYTES;
  out.int16(-1); // no transaction
  out.int16(acks);
  out.int32(timeout);
  out.int32(topicData.length);
  topicData.forEach(({ topic, partitions }, index) => {
    out.int16(Buffer.byteLength(topic));
    out.text(topic);
    out.int32(partitions.length);
    partitions.forEach(({ partition, messages }, position) => {
      const batch = batches[index]![position]!;
      out.int32(partition);
      out.int32(batch.bytes);
      writeBatch(out, messages, batch, nowMs);
    });
  });
  const body = out.buffer.subarray(FRAME_ROOM_BYTES);
  roomInFront.set(body, FRAME_ROOM_BYTES);
  return body;
}

interface MeasuredBatch {
  bytes: number;
  records: MeasuredRecord[];
}

interface MeasuredRecord {
  /** Without its own length. */
  bytes: number;
  keyBytes: number;
  headers: Buffer;
}

/** Headers as they stand in a record, made once for all records that share the object. */
class HeaderBlocks {
  private readonly blocks = new Map<Record<string, string>, Buffer>();

  of(headers: Record<string, string> = NO_HEADERS): Buffer {
    let block = this.blocks.get(headers);
    if (block === undefined) this.blocks.set(headers, (block = encodeHeaders(headers)));
    return block;
  }
}

const NO_HEADERS: Record<string, string> = {};

function encodeHeaders(headers: Record<string, string>): Buffer {
  const parts = Object.entries(headers).flat();
  const lengths = parts.map((part) => Buffer.byteLength(part));
  const count = parts.length / 2;
  const out = new Writer(lengths.reduce((sum, length) => sum + varintBytes(length) + length, varintBytes(count)));
  out.varint(count);
  parts.forEach((part, index) => {
    out.varint(lengths[index]!);
    out.text(part);
  });
  return out.buffer;
}

function measureBatch(messages: PlainMessage[], headers: HeaderBlocks): MeasuredBatch {
  let bytes = BATCH_FIXED_BYTES;
  const records = messages.map((message, index) => {
    const keyBytes = message.key === null ? -1 : Buffer.byteLength(message.key);
    const { length: valueBytes } = message.value;
    const block = headers.of(message.headers);
    // Attributes and timestamp delta, both zero, take a byte each.
    let body = 2 + varintBytes(index) + varintBytes(keyBytes) + Math.max(0, keyBytes);
    body += varintBytes(valueBytes) + valueBytes + block.length;
    bytes += varintBytes(body) + body;
    return { bytes: body, keyBytes, headers: block };
  });
  return { bytes, records };
}

function writeBatch(out: Writer, messages: PlainMessage[], { bytes, records }: MeasuredBatch, nowMs: number): void {
  const start = out.at;
  out.int64(0); // base offset: the broker's to fill in
  out.int32(bytes - BATCH_LENGTH_FROM);
  out.int32(0); // leader epoch, the broker's too
  out.int8(MAGIC);
  const checksumAt = out.at;
  out.int32(0);
  out.int16(0); // no compression, time of creation, no transaction
  out.int32(messages.length - 1);
  out.int64(nowMs);
  out.int64(nowMs);
  out.int64(-1); // no idempotent producer
  out.int16(0);
  out.int32(0);
  out.int32(messages.length);
  messages.forEach((message, index) => {
    const record = records[index]!;
    out.varint(record.bytes);
    out.int8(0);
    out.varint(0);
    out.varint(index);
    out.varint(record.keyBytes);
    if (message.key !== null) out.text(message.key);
    out.varint(message.value.length);
    out.bytes(message.value);
    out.bytes(record.headers);
  });
  out.buffer.writeUInt32BE(crc32c(out.buffer.subarray(start + BATCH_CHECKED_FROM, out.at)), checksumAt);
}

/** Length of a zigzag varint of 32 bits. */
function varintBytes(value: number): number {
  const zigzag = ((value << 1) ^ (value >> 31)) >>> 0;
  return zigzag < 0x80 ? 1 : Math.ceil((32 - Math.clz32(zigzag)) / 7);
}

/** Fills a buffer of known length, big-endian. */
class Writer {
  readonly buffer: Buffer;
  at = 0;

  constructor(length: number) {
    this.buffer = Buffer.allocUnsafeSlow(length);
  }

  int8(value: number): void {
    this.at = this.buffer.writeInt8(value, this.at);
  }

  int16(value: number): void {
    this.at = this.buffer.writeInt16BE(value, this.at);
  }

  int32(value: number): void {
    this.at = this.buffer.writeInt32BE(value, this.at);
  }

  /** A whole number of up to 53 bits. */
  int64(value: number): void {
    this.int32(Math.floor(value / 0x1_0000_0000));
    this.at = this.buffer.writeUInt32BE(value >>> 0, this.at);
  }

  varint(value: number): void {
    let zigzag = ((value << 1) ^ (value >> 31)) >>> 0;
    for (; zigzag >= 0x80; zigzag >>>= 7) this.buffer[this.at++] = (zigzag & 0x7f) | 0x80;
    this.buffer[this.at++] = zigzag;
  }

  text(value: string): void {
    this.at += this.buffer.write(value, this.at, 'utf8');
  }

  bytes(value: Buffer): void {
    this.at += value.copy(this.buffer, this.at);
  }
}
