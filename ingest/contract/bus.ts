import type { TopicSpec } from './topics.ts';

/** One record to publish. The partition follows from the key (murmur2, as Kafka's own clients do) unless it is named. */
export interface OutgoingRecord {
  key: string | null;
  value: Uint8Array;
  headers?: Record<string, string>;
  partition?: number;
}

/** One record as read back. `value` is only valid until the handler settles: copy what must live longer. */
export interface BusRecord {
  partition: number;
  offset: number;
  key: string | null;
  value: Buffer;
  headers: Record<string, string>;
  /** When the bus took it, epoch milliseconds. */
  timestamp: number;
}

/** Consecutive records of one partition, lowest offset first. */
export interface RecordBatch {
  partition: number;
  records: BusRecord[];
  /** Offset that the next record written to the partition would get, as known when the batch was read. */
  endOffset: number;
}

export interface SubscribeOptions {
  topic: string;
  group: string;
  /**
   * Called with the whole assignment whenever it changes, before any record of it is delivered. Everything that an earlier
   * assignment delivered and that is not stored yet must be forgotten: it will be delivered again.
   * Returns the offset to resume from for each partition; a partition that is absent is read from its first record. These offsets
   * count as committed, so that a member that was killed before it could commit leaves no lag behind.
   * A throw makes the member leave and join again.
   */
  onAssignment(partitions: number[]): Promise<Map<number, number>>;
  /**
   * Handles a batch. Batches of one partition never overlap and come in order; while the promise is pending no more of that
   * partition is delivered, which is the back-pressure. A throw makes the member leave and join again.
   */
  onBatch(batch: RecordBatch): Promise<void>;
  /** Called when the membership was lost or given up; nothing is delivered until the next onAssignment. */
  onRevoked?(): void;
  /** Faults the subscription recovers from by itself, for the log. */
  onFault?(error: unknown): void;
  /** A member silent for this long loses its partitions. Default 30,000. */
  sessionTimeoutMs?: number;
  /** Bytes to read ahead per delivery at most. Default 4 MiB. */
  batchBytesMax?: number;
}

export interface Subscription {
  /** Records progress for lag tools. Never used to resume. Offsets are those of the next record to read. */
  commit(nextOffsets: Map<number, number>): Promise<void>;
  /** Leaves the group and joins again; resolves when the old membership is given up. */
  rejoin(reason: string): Promise<void>;
  close(): Promise<void>;
}

/** A compacted topic held as its latest record per key. */
export interface LatestView {
  /** Resolves when everything that was on the topic at the time of the call has been handed to `onRecord`. */
  caughtUp(): Promise<void>;
  close(): Promise<void>;
}

export interface PartitionLag {
  partition: number;
  committedOffset: number;
  endOffset: number;
  lag: number;
}

/** What ingest, detector and query-api need of a message bus. Two adapters, one suite of contract tests. */
export interface Bus {
  readonly kind: 'kafka' | 'embedded';
  /** Creates what is missing; an existing topic keeps its partition count. */
  ensureTopics(topics: TopicSpec[]): Promise<void>;
  /** Asked now, so that a topic that grew or was made anew is seen. Throws {@link BusUnavailableError} when there is no such topic. */
  partitionCount(topic: string): Promise<number>;
  /** Resolves once every record is durable (acks=all, or an fsynced commit). Throws {@link BusUnavailableError} when it is not. */
  publish(topic: string, records: OutgoingRecord[]): Promise<void>;
  subscribe(options: SubscribeOptions): Promise<Subscription>;
  /** Hands over every record of a compacted topic from its start (older records of a key may be missing), then follows it. */
  followLatest(topic: string, onRecord: (record: BusRecord) => void): Promise<LatestView>;
  lag(topic: string, group: string): Promise<PartitionLag[]>;
  close(): Promise<void>;
}

/** The bus could not take or give records now; the same call may work later. */
export class BusUnavailableError extends Error {
  readonly canRetry = true;
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'BusUnavailableError';
  }
}
