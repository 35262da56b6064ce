import { createHash } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { BusUnavailableError } from '../../../contract/bus.ts';
import type { OutgoingRecord } from '../../../contract/bus.ts';
import type { TopicSpec } from '../../../contract/topics.ts';
import type {
  AppendChunk,
  AppenderAnswer,
  AppenderRequest,
  AppenderSettings,
  CommitOffsets,
} from './appender-worker.ts';
import { encodeChunk, encodedBytes } from './chunk.ts';

/** This process's way to write the log. */
export interface Appender {
  ensureTopics(topics: TopicSpec[]): Promise<void>;
  /** Resolves once the records are on disk. Partitions are already chosen. */
  append(topic: TopicSpec, records: { partition: number; record: OutgoingRecord }[]): Promise<void>;
  commit(commit: CommitOffsets): Promise<void>;
  close(): Promise<void>;
}

/** Bytes of a chunk at most, unless one record is larger. Readers take whole chunks. */
const CHUNK_BYTES_MAX = 512 * 1024;
/** Bytes of one transaction, about; what comes while it runs goes into the next. */
const TRANSACTION_BYTES_MAX = 8 * 1024 * 1024;
/** One transaction is being written, the next is ready: the disk never waits for this thread. */
const TRANSACTIONS_IN_FLIGHT_MAX = 2;
/** What may wait to be written; beyond it the disk is too slow and callers must hear it. */
const QUEUED_BYTES_MAX = 64 * 1024 * 1024;

interface Waiter {
  resolve(): void;
  reject(error: Error): void;
}

interface Append extends Waiter {
  topic: TopicSpec;
  records: { partition: number; record: OutgoingRecord }[];
  bytes: number;
}

export function createAppender(settings: AppenderSettings, publishTimeoutMs: number): Appender {
  const worker = new Worker(new URL('./appender-worker.ts', import.meta.url), { workerData: settings, execArgv: [] });
  // An idle writer keeps no process alive.
  worker.unref();
  let queue: Append[] = [];
  let queuedBytes = 0;
  let commits: (CommitOffsets & Waiter)[] = [];
  let nextId = 1;
  let failure: string | null = null;
  let closed = false;
  let scheduled = false;
  const inFlight = new Map<number, Waiter[]>();
  let whenIdle: (() => void)[] = [];

  worker.on('message', ({ id, error }: AppenderAnswer) => {
    const waiters = inFlight.get(id) ?? [];
    inFlight.delete(id);
    for (const waiter of waiters) {
      if (error === undefined) waiter.resolve();
      else waiter.reject(new BusUnavailableError(error));
    }
    pump();
  });
  const fail = (reason: string) => {
    failure ??= reason;
    for (const waiters of inFlight.values())
      for (const waiter of waiters) waiter.reject(new BusUnavailableError(failure));
    inFlight.clear();
    pump();
  };
  worker.on('error', (error) => {
    fail(
      `The log in ${settings.directory} could not be opened for writing: ${error instanceof Error ? error.message : String(error)}`,
    );
  });
  worker.on('exit', () => {
    fail('The bus is closed');
  });

  function send(request: Omit<AppenderRequest, 'id'>, waiters: Waiter[]): void {
    const id = nextId++;
    inFlight.set(id, waiters);
    worker.ref();
    const transfer = (request.append ?? []).map(({ chunk }) => chunk.buffer as ArrayBuffer);
    worker.postMessage({ id, ...request } satisfies AppenderRequest, transfer);
  }

  function pump(): void {
    scheduled = false;
    if (failure !== null) {
      const waiters: Waiter[] = [...queue, ...commits];
      queue = [];
      commits = [];
      queuedBytes = 0;
      for (const waiter of waiters) waiter.reject(new BusUnavailableError(failure));
    }
    while (inFlight.size < TRANSACTIONS_IN_FLIGHT_MAX && (queue.length > 0 || commits.length > 0)) {
      let bytes = 0;
      let count = 0;
      while (count < queue.length && (count === 0 || bytes + queue[count]!.bytes <= TRANSACTION_BYTES_MAX))
        bytes += queue[count++]!.bytes;
      const appends = queue.slice(0, count);
      queue = queue.slice(count);
      queuedBytes -= bytes;
      const committing = commits;
      commits = [];
      send(
        {
          append: toChunks(appends),
          commit: committing.map(({ topic, group, offsets }) => ({ topic, group, offsets })),
        },
        [...appends, ...committing],
      );
    }
    if (inFlight.size > 0) return;
    worker.unref();
    const idle = whenIdle;
    whenIdle = [];
    for (const resolve of idle) resolve();
  }

  /** At the end of this turn, so that calls of the same turn share a transaction. */
  function schedule(): void {
    if (scheduled) return;
    scheduled = true;
    queueMicrotask(pump);
  }

  return {
    ensureTopics(topics) {
      if (failure !== null) return Promise.reject(new BusUnavailableError(failure));
      return new Promise((resolve, reject) => {
        send({ ensureTopics: topics }, [{ resolve, reject }]);
      });
    },
    async append(topic, records) {
      if (closed || failure !== null) throw new BusUnavailableError(failure ?? 'The bus is closed');
      if (queuedBytes > QUEUED_BYTES_MAX) throw new BusUnavailableError('Too many records wait for the disk');
      let bytes = 0;
      for (const { record } of records) bytes += encodedBytes(record);
      queuedBytes += bytes;
      let timer: NodeJS.Timeout | undefined;
      try {
        await new Promise<void>((resolve, reject) => {
          queue.push({ topic, records, bytes, resolve, reject });
          schedule();
          timer = setTimeout(() => {
            reject(new BusUnavailableError(`The disk did not take the records within ${publishTimeoutMs} ms`));
          }, publishTimeoutMs);
        });
      } finally {
        clearTimeout(timer);
      }
    },
    commit(commit) {
      if (closed || failure !== null) return Promise.reject(new BusUnavailableError(failure ?? 'The bus is closed'));
      return new Promise((resolve, reject) => {
        commits.push({ ...commit, resolve, reject });
        schedule();
      });
    },
    async close() {
      if (closed) return;
      closed = true;
      if (failure === null) {
        if (inFlight.size > 0 || queue.length > 0 || commits.length > 0)
          await new Promise<void>((resolve) => {
            whenIdle.push(resolve);
            schedule();
          });
        const exited = new Promise<void>((resolve) =>
          worker.once('exit', () => {
            resolve();
          }),
        );
        worker.ref();
        worker.postMessage('close');
        await exited;
      }
    },
  };
}

/** Cuts the appends of one transaction into chunks, in order within each partition. */
function toChunks(appends: Append[]): AppendChunk[] {
  const timestamp = Date.now();
  const chunks: AppendChunk[] = [];
  const open = new Map<string, { topic: TopicSpec; partition: number; records: OutgoingRecord[]; bytes: number }>();
  const finish = ({
    topic,
    partition,
    records,
    bytes,
  }: {
    topic: TopicSpec;
    partition: number;
    records: OutgoingRecord[];
    bytes: number;
  }) => {
    const chunk: AppendChunk = { topic: topic.name, partition, chunk: encodeChunk(records, bytes, timestamp) };
    if (topic.compacted)
      chunk.keyHash = createHash('sha256')
        .update(records[0]!.key ?? '', 'utf8')
        .digest();
    chunks.push(chunk);
  };
  for (const { topic, records } of appends)
    for (const { partition, record } of records) {
      const place = `${topic.name}/${partition}`;
      const bytes = encodedBytes(record);
      let current = open.get(place);
      // On a compacted topic every record is a chunk of its own, because it may have to go alone.
      if (current && (topic.compacted || current.bytes + bytes > CHUNK_BYTES_MAX)) {
        finish(current);
        current = undefined;
      }
      if (!current) open.set(place, (current = { topic, partition, records: [], bytes: 0 }));
      current.records.push(record);
      current.bytes += bytes;
    }
  for (const rest of open.values()) finish(rest);
  return chunks;
}
