import { chunkCount, chunkTimestamp } from './chunk.ts';
import { encodeHead, offsetOf, partitionKey } from './log-store.ts';
import type { LogStore, PartitionHead, StoredTopic } from './log-store.ts';

export interface RetentionSettings {
  /** Records older than this go. */
  retentionMs: number;
  /** Beyond this size of all records together, the oldest go. */
  retentionBytes: number;
}

export interface Retention {
  /** Removes what may go and tells how many bytes that were. */
  trim(nowMs: number): number;
}

/** Chunks removed in one transaction at most, so that publishing never waits long for the write lock. */
const CHUNKS_PER_TRANSACTION = 64;
/** Beyond this multiple of the byte limit, even records that a group has not read yet go: a full disk would stop everybody. */
const UNREAD_BYTES_FACTOR = 2;

interface Candidate {
  topic: StoredTopic;
  partition: number;
  key: Buffer;
  offset: number;
  count: number;
  bytes: number;
  timestamp: number;
}

/**
 * Trims the log at its old end, except compacted topics, which hold one record per key anyway. What a living group has not committed
 * stays until the log is twice as large as allowed. A group that has committed nothing for the retention time counts as gone.
 */
export function createRetention(store: LogStore, settings: RetentionSettings): Retention {
  function oldest(topic: StoredTopic, partition: number, head: PartitionHead): Candidate | null {
    if (head.first >= head.end) return null;
    const start = partitionKey(topic.id, partition);
    for (const { key, value } of store.chunks.getRange({ start, end: partitionKey(topic.id, partition + 1), limit: 1 }))
      return {
        topic,
        partition,
        key,
        offset: offsetOf(key),
        count: chunkCount(value),
        bytes: value.length,
        timestamp: chunkTimestamp(value),
      };
    return null;
  }

  /** The least offset that a living group has still to read; without one, everything is free to go. */
  function readUpTo(topicId: number, partition: number, nowMs: number): number {
    let least = Infinity;
    const start = partitionKey(topicId, partition);
    for (const { value } of store.committed.getRange({ start, end: partitionKey(topicId, partition + 1) }))
      if (nowMs - value.readDoubleLE(8) < settings.retentionMs) least = Math.min(least, value.readDoubleLE(0));
    return least;
  }

  /** One transaction's worth; 0 when there is nothing more to do. */
  function trimSome(nowMs: number): number {
    return store.root.transactionSync(() => {
      const heads = new Map<string, PartitionHead>();
      const candidates: Candidate[] = [];
      let total = 0;
      for (const { value } of store.topics.getRange({})) {
        const topic = JSON.parse(value.toString()) as StoredTopic;
        if (topic.compacted) continue;
        for (let partition = 0; partition < topic.partitions; partition++) {
          const head = store.head(topic.id, partition);
          heads.set(`${topic.id}/${partition}`, head);
          total += head.bytes;
          const candidate = oldest(topic, partition, head);
          if (candidate) candidates.push(candidate);
        }
      }
      let removed = 0;
      for (let count = 0; count < CHUNKS_PER_TRANSACTION && candidates.length > 0; count++) {
        candidates.sort((left, right) => right.timestamp - left.timestamp);
        const chosen = candidates.pop()!;
        const { topic, partition, key, offset, count: records, bytes, timestamp } = chosen;
        const over = total - removed;
        const due = nowMs - timestamp > settings.retentionMs || over > settings.retentionBytes;
        if (!due) break;
        const unread = offset + records > readUpTo(topic.id, partition, nowMs);
        // The partition waits for its reader; others may still have something to give.
        if (unread && over <= settings.retentionBytes * UNREAD_BYTES_FACTOR) continue;
        const head = heads.get(`${topic.id}/${partition}`)!;
        store.chunks.removeSync(key);
        head.first = offset + records;
        head.bytes -= bytes;
        removed += bytes;
        store.heads.putSync(partitionKey(topic.id, partition), encodeHead(head));
        const next = oldest(topic, partition, head);
        if (next) candidates.push(next);
      }
      return removed;
    });
  }

  return {
    trim(nowMs) {
      let total = 0;
      for (let removed = trimSome(nowMs); removed > 0; removed = trimSome(nowMs)) total += removed;
      return total;
    },
  };
}
