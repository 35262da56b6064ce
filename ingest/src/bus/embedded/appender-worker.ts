/**
 * The thread that writes the log. Each message is one synchronous LMDB transaction: the write lock, which all processes
 * share, is held for the transaction alone and never while the event loop of a busy process gets round to it, and the wait
 * for the disk blocks no event loop.
 */
import { statfsSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import type { TopicSpec } from '../../../contract/topics.ts';
import { chunkCount } from './chunk.ts';
import { chunkKey, committedKey, encodeHead, openLogStore, partitionKey } from './log-store.ts';
import type { PartitionHead, StoredTopic } from './log-store.ts';
import { createRetention } from './retention.ts';

/** Records of one partition in the order in which they are to be appended. */
export interface AppendChunk {
  topic: string;
  partition: number;
  chunk: Uint8Array;
  /** Compacted topics: SHA-256 of the key of the chunk's single record. */
  keyHash?: Uint8Array;
}

export interface CommitOffsets {
  topic: string;
  group: string;
  offsets: [partition: number, offset: number][];
}

export interface AppenderRequest {
  id: number;
  ensureTopics?: TopicSpec[];
  append?: AppendChunk[];
  commit?: CommitOffsets[];
}

export interface AppenderAnswer {
  id: number;
  /** What went wrong, in one sentence; nothing of the request was written then. */
  error?: string;
}

export interface AppenderSettings {
  directory: string;
  mapSizeBytes: number;
  retentionMs: number;
  retentionBytes: number;
  retentionIntervalMs: number;
}

/** With less than this left, a failed write is explained by the disk. */
const DISK_FULL_BYTES = 16 * 1024 * 1024;

const port = parentPort!;
const settings = workerData as AppenderSettings;
const store = openLogStore(settings.directory, settings.mapSizeBytes);
const retention = createRetention(store, settings);
// Every process that has the log open looks after it; which one comes first does not matter.
const timer = setInterval(() => {
  try {
    store.root.readerCheck();
    retention.trim(Date.now());
  } catch {
    // A full disk or a lock in the way: the next round tries again, and publishing reports what hurts.
  }
}, settings.retentionIntervalMs);
timer.unref();

port.on('message', (request: AppenderRequest | 'close') => {
  if (request === 'close') {
    clearInterval(timer);
    void store.close().then(() => {
      port.close();
    });
    return;
  }
  const answer: AppenderAnswer = { id: request.id };
  try {
    store.root.transactionSync(() => {
      for (const topic of request.ensureTopics ?? []) ensureTopic(topic);
      append(request.append ?? []);
      for (const commit of request.commit ?? []) commitOffsets(commit);
    });
  } catch (error) {
    answer.error = explain(error);
  }
  port.postMessage(answer);
});

function explain(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  try {
    const { bavail, bsize } = statfsSync(settings.directory);
    if (bavail * bsize < DISK_FULL_BYTES) return `The disk that holds ${settings.directory} is full`;
  } catch {
    // Then the engine's own message has to do.
  }
  return `The log in ${settings.directory} could not be written: ${message}`;
}

function ensureTopic(topic: TopicSpec): void {
  const name = Buffer.from(topic.name);
  if (store.topics.get(name)) return;
  const stored: StoredTopic = { ...topic, id: store.topics.getKeysCount() + 1 };
  store.topics.putSync(name, Buffer.from(JSON.stringify(stored)));
}

function append(chunks: AppendChunk[]): void {
  const heads = new Map<string, { topic: StoredTopic; partition: number; head: PartitionHead }>();
  for (const { topic: name, partition, chunk: bytes, keyHash } of chunks) {
    const topic = store.topic(name);
    if (!topic) throw new Error(`there is no topic ${name}`);
    const place = `${topic.id}/${partition}`;
    let entry = heads.get(place);
    if (!entry) heads.set(place, (entry = { topic, partition, head: store.head(topic.id, partition) }));
    const { head } = entry;
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const key = chunkKey(topic.id, partition, head.end);
    if (keyHash) supersede(topic.id, keyHash, key, head);
    store.chunks.putSync(key, chunk);
    head.end += chunkCount(chunk);
    head.bytes += chunk.length;
  }
  for (const { topic, partition, head } of heads.values())
    store.heads.putSync(partitionKey(topic.id, partition), encodeHead(head));
}

/** Compaction at once: the record that the new one replaces goes in the same transaction, so the log is its own snapshot. */
function supersede(topicId: number, keyHash: Uint8Array, key: Buffer, head: PartitionHead): void {
  const latestKey = Buffer.concat([partitionKey(topicId, 0).subarray(0, 2), keyHash]);
  const before = store.latest.get(latestKey);
  if (before) {
    head.bytes -= store.chunks.get(before)?.length ?? 0;
    store.chunks.removeSync(before);
  }
  store.latest.putSync(latestKey, key);
}

function commitOffsets({ topic: name, group, offsets }: CommitOffsets): void {
  const topic = store.topic(name);
  if (!topic) return;
  for (const [partition, offset] of offsets) {
    const value = Buffer.alloc(16);
    value.writeDoubleLE(offset, 0);
    value.writeDoubleLE(Date.now(), 8);
    store.committed.putSync(committedKey(topic.id, partition, group), value);
  }
}
