/**
 * Two repairs inside kafkajs 2.2.4, which gets no releases any more and is pinned. Imported before kafkajs itself, because its
 * modules take hold of each other when they are loaded.
 */
import { createRequire } from 'node:module';
import { isCurrentFormat, packBatches } from './record-batch.ts';
import type { Decompress } from './record-batch.ts';

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

stopIdlePolling();
keepBatchesPacked();
