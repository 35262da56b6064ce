/**
 * Repairs inside kafkajs 2.2.4, which gets no releases any more and is pinned. Imported before kafkajs itself, because its
 * modules take hold of each other when they are loaded.
 */
import { createRequire } from 'node:module';
import { isCurrentFormat, packBatches } from './record-batch.ts';
import type { Decompress } from './record-batch.ts';
import { encodeProduceRequest, isPlainMessage, withRoomInFront, type TopicMessages } from './produce-request.ts';

const require = createRequire(import.meta.url);

interface RequestQueue {
  throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  pending: unknown[];
  checkPendingRequests(): void;
}

interface FetchDecoder {
  buffer: Buffer;
  offset: number;
  readInt32(): number;
  canReadBytes(length: number): boolean;
  readBytes(length: number): Buffer;
}

interface Encoded {
  buffer: Buffer;
}

interface Request {
  apiKey: number;
  apiVersion: number;
  encode(): Promise<Encoded>;
}

interface ProduceOptions {
  acks: number;
  timeout: number;
  transactionalId?: string | null;
  producerId?: { toString(): string };
  compression?: number;
  topicData: TopicMessages<object>[];
}

type DecodeMessages = (decoder: FetchDecoder) => Promise<unknown[]>;

/**
 * kafkajs re-arms a timer for ever after the first answer of every connection, with a negative delay: a thousand wake-ups a
 * second and a TimeoutNegativeWarning from Node. The timer is only needed while requests wait.
 */
function stopIdlePolling(): void {
  const queue = require('kafkajs/src/network/requestQueue') as { prototype: object };
  Object.assign(queue.prototype, {
    scheduleCheckPendingRequests(this: RequestQueue) {
      if (this.throttleCheckTimeoutId || this.pending.length === 0) return;
      this.throttleCheckTimeoutId = setTimeout(
        () => {
          this.throttleCheckTimeoutId = null;
          this.checkPendingRequests();
        },
        Math.max(this.throttledUntil - Date.now(), 10),
      );
    },
  });
}

/**
 * Fetched record batches stay packed (record-batch.ts) instead of becoming kafkajs messages. Besides the time, kafkajs spreads a
 * whole batch into one call's arguments, which overflows the stack from about 120,000 records on.
 */
function keepBatchesPacked(): void {
  const path = require.resolve('kafkajs/src/protocol/requests/fetch/v4/decodeMessages');
  const original = require(path) as DecodeMessages;
  const { lookupCodecByAttributes } = require('kafkajs/src/protocol/message/compression') as {
    lookupCodecByAttributes: (attributes: number) => { decompress(buffer: Buffer): Promise<Buffer> } | null;
  };
  const decompress: Decompress = (attributes, compressed) =>
    lookupCodecByAttributes(attributes)?.decompress(compressed) ?? null;
  const decodeMessages: DecodeMessages = (decoder) => {
    const start = decoder.offset;
    const size = decoder.readInt32();
    if (size <= 0 || !decoder.canReadBytes(size)) return Promise.resolve([]);
    const recordSet = decoder.readBytes(size);
    if (isCurrentFormat(recordSet)) return packBatches(recordSet, decompress);
    decoder.offset = start;
    return original(decoder);
  };
  require.cache[path]!.exports = decodeMessages;
}

/** Requests that need nothing else are written in one go (produce-request.ts); version 3 is what later versions build on. */
function writeProduceRequestsOnce(): void {
  const path = require.resolve('kafkajs/src/protocol/requests/produce/v3/request');
  const original = require(path) as (options: ProduceOptions) => Request;
  require.cache[path]!.exports = (options: ProduceOptions): Request => {
    const request = original(options);
    const { acks, timeout, transactionalId, producerId, compression = 0, topicData } = options;
    const isPlain =
      compression === 0 &&
      (transactionalId ?? null) === null &&
      (producerId === undefined || producerId.toString() === '-1') &&
      topicData.every(isPlainTopic);
    if (!isPlain) return request;
    const encode = () => Promise.resolve({ buffer: encodeProduceRequest({ acks, timeout, topicData }, Date.now()) });
    return { ...request, encode };
  };
}

function isPlainTopic(topic: TopicMessages<object>): topic is TopicMessages {
  return topic.partitions.every(({ messages }) => messages.every(isPlainMessage));
}

/** The frame around every request: kafkajs copies the body twice into it. */
function frameRequestsOnce(): void {
  const path = require.resolve('kafkajs/src/protocol/request');
  require(path);
  require.cache[path]!.exports = frameRequest;
}

async function frameRequest(options: { correlationId: number; clientId: string; request: Request }): Promise<Encoded> {
  const { correlationId, clientId, request } = options;
  const { buffer: body } = await request.encode();
  const clientBytes = Buffer.byteLength(clientId);
  const frame = withRoomInFront(body, FRAME_FIXED_BYTES + clientBytes);
  let at = frame.writeInt32BE(frame.length - 4, 0);
  at = frame.writeInt16BE(request.apiKey, at);
  at = frame.writeInt16BE(request.apiVersion, at);
  at = frame.writeInt32BE(correlationId, at);
  at = frame.writeInt16BE(clientBytes, at);
  frame.write(clientId, at, 'utf8');
  return { buffer: frame };
}

/** Length of the rest, API key and version, correlation, length of the client's name. */
const FRAME_FIXED_BYTES = 4 + 2 + 2 + 4 + 2;

stopIdlePolling();
writeProduceRequestsOnce();
frameRequestsOnce();
keepBatchesPacked();
