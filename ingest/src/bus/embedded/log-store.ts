/**
 * The log's LMDB environment: what is in it and how it is read. Only the appender's thread writes it (appender-worker.ts).
 *
 * Classic LMDB commits (no overlapping sync): a record is visible to readers only once it is on disk, so nobody can act on
 * one that a power cut takes back and whose offset the next record would get.
 */
import path from 'node:path';
import { open } from 'lmdb';
import type { Database, RootDatabase } from 'lmdb';
import type { BusRecord, RecordBatch } from '../../../contract/bus.ts';
import type { TopicSpec } from '../../../contract/topics.ts';
import { chunkCount, decodeChunk } from './chunk.ts';

type Table = Database<Buffer, Buffer>;

export interface StoredTopic extends TopicSpec {
  /** Number that stands for the name in keys. */
  id: number;
}

/** Where a partition begins and ends. */
export interface PartitionHead {
  /** First offset that is still there. */
  first: number;
  /** Offset that the next record will get. */
  end: number;
  /** Bytes of its chunks. */
  bytes: number;
}

/** A group's progress in one partition, for lag tools and retention. */
export interface CommittedOffset {
  offset: number;
  /** Epoch milliseconds. */
  at: number;
}

export interface LogStore {
  readonly root: RootDatabase<Buffer, Buffer>;
  /** Topic name (UTF-8) → JSON. */
  readonly topics: Table;
  /** {@link partitionKey} → {@link encodeHead}. */
  readonly heads: Table;
  /** {@link chunkKey} → chunk. */
  readonly chunks: Table;
  /** Compacted topics: topic id and SHA-256 of the record key → {@link chunkKey} of its latest record. */
  readonly latest: Table;
  /** {@link committedKey} → offset and time as two doubles. */
  readonly committed: Table;
  topic(name: string): StoredTopic | undefined;
  head(topicId: number, partition: number): PartitionHead;
  /** Records from an offset on, about `bytesMax` of them but at least one chunk; null when there are none. */
  read(topicId: number, partition: number, from: number, bytesMax: number): RecordBatch | null;
  committedOffset(topicId: number, group: string, partition: number): CommittedOffset | undefined;
  /** Makes what other processes have committed visible to the next read of this turn. */
  refresh(): void;
  close(): Promise<void>;
}

/** Readers of one environment at once over all processes; a slot is 64 bytes. */
const READERS_MAX = 1024;
const LOG_FILE = 'log.mdb';
export const MAP_SIZE_BYTES = 64 * 1024 ** 3;

export function openLogStore(directory: string, mapSizeBytes: number): LogStore {
  const root = open<Buffer, Buffer>({
    path: path.join(directory, LOG_FILE),
    encoding: 'binary',
    keyEncoding: 'binary',
    mapSize: mapSizeBytes,
    maxDbs: 8,
    maxReaders: READERS_MAX,
    overlappingSync: false,
    // Pages that held older records are reused unwiped: all of this file is as secret as its contents.
    noMemInit: true,
  });
  // Slots of processes that were killed would pin the pages they last looked at.
  root.readerCheck();
  const table = (name: string): Table => root.openDB(name, { encoding: 'binary', keyEncoding: 'binary' });
  const topics = table('topics');
  const heads = table('heads');
  const chunks = table('chunks');
  const latest = table('latest');
  const committed = table('committed');
  const known = new Map<string, StoredTopic>();

  function head(topicId: number, partition: number): PartitionHead {
    const value = heads.get(partitionKey(topicId, partition));
    return value ? decodeHead(value) : { first: 0, end: 0, bytes: 0 };
  }

  return {
    root,
    topics,
    heads,
    chunks,
    latest,
    committed,
    topic(name) {
      const cached = known.get(name);
      if (cached) return cached;
      const value = topics.get(Buffer.from(name));
      if (!value) return undefined;
      const topic = JSON.parse(value.toString()) as StoredTopic;
      known.set(name, topic);
      return topic;
    },
    head,
    read(topicId, partition, from, bytesMax) {
      const { end } = head(topicId, partition);
      if (from >= end) return null;
      // The chunk that holds `from` begins at or before it; a chunk of another partition is none.
      let start = chunkKey(topicId, partition, from);
      for (const { key, value } of chunks.getRange({ start, reverse: true, limit: 1 }))
        if (samePartition(key, start) && offsetOf(key) + chunkCount(value) > from) start = key;
      const records: BusRecord[] = [];
      let bytes = 0;
      for (const { key, value } of chunks.getRange({ start, end: partitionEnd(topicId, partition) })) {
        if (bytes > 0 && bytes + value.length > bytesMax) break;
        decodeChunk(value, partition, offsetOf(key), from, records);
        bytes += value.length;
      }
      return records.length === 0 ? null : { partition, records, endOffset: end };
    },
    committedOffset(topicId, group, partition) {
      const value = committed.get(committedKey(topicId, partition, group));
      return value && { offset: value.readDoubleLE(0), at: value.readDoubleLE(8) };
    },
    refresh() {
      root.resetReadTxn();
    },
    close: () => root.close(),
  };
}

/** Big endian, so that LMDB's byte order is topic, partition, offset. */
export function chunkKey(topicId: number, partition: number, offset: number): Buffer {
  const key = Buffer.alloc(12);
  key.writeUInt16BE(topicId, 0);
  key.writeUInt32BE(partition, 2);
  key.writeUIntBE(offset, 6, 6);
  return key;
}

export function offsetOf(key: Buffer): number {
  return key.readUIntBE(6, 6);
}

function partitionEnd(topicId: number, partition: number): Buffer {
  return chunkKey(topicId, partition + 1, 0);
}

function samePartition(left: Buffer, right: Buffer): boolean {
  return left.compare(right, 0, 6, 0, 6) === 0;
}

export function partitionKey(topicId: number, partition: number): Buffer {
  return chunkKey(topicId, partition, 0).subarray(0, 6);
}

export function committedKey(topicId: number, partition: number, group: string): Buffer {
  return Buffer.concat([partitionKey(topicId, partition), Buffer.from(group)]);
}

export function encodeHead({ first, end, bytes }: PartitionHead): Buffer {
  const value = Buffer.alloc(24);
  value.writeDoubleLE(first, 0);
  value.writeDoubleLE(end, 8);
  value.writeDoubleLE(bytes, 16);
  return value;
}

function decodeHead(value: Buffer): PartitionHead {
  return { first: value.readDoubleLE(0), end: value.readDoubleLE(8), bytes: value.readDoubleLE(16) };
}
