import type { Bus, OutgoingRecord, UsageEvent } from '../../contract/index.ts';
import { ApiProblem } from '../problem.ts';
import {
  CHARS_PER_RECORD_MAX,
  keyOfRow,
  packRows,
  type PreparedRow,
  prepareRow,
  recordOf,
  ROWS_PER_RECORD_MAX,
} from './rows.ts';
import { type Spool, SpoolFullError } from './spool.ts';

/**
 * Kafka takes at most 1 MiB per partition and request by default. A character is up to 3 bytes of UTF-8, so this stays below in
 * any script.
 */
const CHARS_PER_PARTITION_MAX = 256 * 1024;
/** Rows of the spool that are published together. */
const REPLAY_BYTES = 512 * 1024;
const REPLAY_PAUSE_MIN_MS = 100;
const REPLAY_PAUSE_MAX_MS = 5_000;
/** Batches on their way to the bus at once: while it confirms one, the events of the next are encoded and sent. */
const BATCHES_UNDER_WAY_MAX = 2;
/** The bus gives up by itself; this is for one that does not. */
const TIMEOUT_MARGIN_MS = 1_000;

export interface PublisherOptions {
  bus: Pick<Bus, 'publish'>;
  topic: string;
  partitionOf: (key: string) => number;
  /** After this long without confirmation the bus counts as down. */
  publishTimeoutMs: number;
  /** How long a lone request waits for others to share its records. */
  lingerMs: number;
  /** null: without a spool a bus that is down is answered with 503. */
  spool: Spool | null;
  onBatch?(outcome: { to: 'bus' | 'spool'; rows: number; seconds: number }): void;
  onFault(what: string, error: unknown): void;
}

export interface Publisher {
  /**
   * Resolves when all events are durable: confirmed by the bus, or fsynced in the spool.
   * @throws ApiProblem unavailable (with Retry-After) when neither takes them
   */
  publish(events: readonly UsageEvent[]): Promise<void>;
  /** Waits for what is under way, stops replaying. What the spool holds stays there for the next start. */
  close(): Promise<void>;
}

/** One request's events, spread over several records. */
interface Waiter {
  openRecords: number;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/** A record being filled with the rows of one partition. */
interface Filling {
  rows: PreparedRow[];
  chars: number;
  waiters: Waiter[];
}

/**
 * Groups events of concurrent requests into records and writes a few batches at a time: while they are under way the next one
 * fills up, so that batches grow with the load. The bus keeps the order of its calls per partition. While the spool holds
 * anything, new events go behind it; only events of requests that overlapped can change places when the bus fails one batch
 * and takes the next.
 */
export function createPublisher(options: PublisherOptions): Publisher {
  const { bus, topic, partitionOf, spool, onFault } = options;
  const queues = new Map<number, Filling[]>();
  let lingering: NodeJS.Timeout | null = null;
  let underWay = 0;
  /** The last append to the spool, which takes one at a time. */
  let spooling: Promise<unknown> = Promise.resolve();
  let whenIdle: (() => void)[] = [];
  let replaying: Promise<void> | null = null;
  let closed = false;
  const stop = new AbortController();

  function enqueue(events: readonly UsageEvent[], waiter: Waiter): void {
    for (const event of events) {
      const prepared = prepareRow(event);
      const partition = partitionOf(prepared.key);
      let queue = queues.get(partition);
      if (queue === undefined) queues.set(partition, (queue = []));
      let filling = queue.at(-1);
      if (
        filling === undefined ||
        filling.rows.length >= ROWS_PER_RECORD_MAX ||
        filling.chars + prepared.row.length > CHARS_PER_RECORD_MAX
      ) {
        queue.push((filling = { rows: [], chars: 0, waiters: [] }));
      }
      filling.rows.push(prepared);
      filling.chars += prepared.row.length;
      if (filling.waiters.at(-1) !== waiter) {
        filling.waiters.push(waiter);
        waiter.openRecords++;
      }
    }
  }

  /** Takes what one request to the bus may hold, oldest first. */
  function takeBatch(): { partition: number; filling: Filling }[] {
    const batch: { partition: number; filling: Filling }[] = [];
    for (const [partition, queue] of queues) {
      let count = 0;
      for (let chars = 0; count < queue.length; count++) {
        chars += queue[count]!.chars;
        if (count > 0 && chars > CHARS_PER_PARTITION_MAX) break;
      }
      for (const filling of queue.splice(0, count)) batch.push({ partition, filling });
      if (queue.length === 0) queues.delete(partition);
    }
    return batch;
  }

  /** Starts batches as far as they may; a lone request first waits for others to share its records. */
  function scheduleWrite(): void {
    if (lingering !== null || underWay === BATCHES_UNDER_WAY_MAX) return;
    lingering = setTimeout(() => {
      lingering = null;
      startBatches();
    }, options.lingerMs);
  }

  function startBatches(): void {
    while (queues.size > 0 && underWay < BATCHES_UNDER_WAY_MAX) {
      underWay++;
      void writeBatch().finally(() => {
        underWay--;
        startBatches();
      });
    }
    if (queues.size > 0 || underWay > 0) return;
    for (const resolve of whenIdle) resolve();
    whenIdle = [];
  }

  async function writeBatch(): Promise<void> {
    const batch = takeBatch();
    const started = performance.now();
    let failure: unknown = null;
    let to: 'bus' | 'spool' = 'bus';
    try {
      to = await write(batch);
    } catch (error) {
      failure = error;
    }
    for (const { filling } of batch) {
      for (const waiter of filling.waiters) {
        if (failure !== null) waiter.reject(failure);
        else if (--waiter.openRecords === 0) waiter.resolve();
      }
    }
    if (failure === null) {
      const rows = batch.reduce((sum, { filling }) => sum + filling.rows.length, 0);
      options.onBatch?.({ to, rows, seconds: (performance.now() - started) / 1000 });
    }
  }

  async function write(batch: { partition: number; filling: Filling }[]): Promise<'bus' | 'spool'> {
    if (spool === null || spool.isEmpty) {
      try {
        await send(batch.map(({ partition, filling }) => recordOf(filling.rows, partition)));
        return 'bus';
      } catch (error) {
        onFault('the bus did not take a batch', error);
        if (spool === null) throw unavailable('The message bus is not reachable.', error);
      }
    }
    try {
      const rows = batch.flatMap(({ filling }) => filling.rows.map(({ row }) => row));
      const appended = spooling.then(() => spool.append(rows));
      spooling = appended.catch(() => undefined);
      await appended;
    } catch (error) {
      if (!(error instanceof SpoolFullError)) onFault('the spool did not take a batch', error);
      throw unavailable('The message bus is not reachable and the spool on disk takes no more.', error);
    }
    startReplay();
    return 'spool';
  }

  async function send(records: OutgoingRecord[]): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_, reject) => {
      const limitMs = options.publishTimeoutMs + TIMEOUT_MARGIN_MS;
      timer = setTimeout(() => reject(new Error(`no confirmation within ${limitMs} ms`)), limitMs);
    });
    try {
      // A publish that the bus confirms after all arrives twice; the ledger stores an identity once.
      await Promise.race([bus.publish(topic, records), timeout]);
    } finally {
      clearTimeout(timer);
    }
  }

  function startReplay(): void {
    if (spool === null || replaying !== null || closed || !spool.hasUnread) return;
    replaying = replay(spool)
      .catch((error: unknown) => onFault('replaying the spool stopped', error))
      .finally(() => {
        replaying = null;
        startReplay();
      });
  }

  async function replay(from: Spool): Promise<void> {
    let pauseMs = REPLAY_PAUSE_MIN_MS;
    while (!closed && from.hasUnread) {
      try {
        const chunk = await from.peek(REPLAY_BYTES);
        if (chunk === null) return;
        for (const records of inRequests(
          packRows(
            chunk.rows.map((row) => ({ row, key: keyOfRow(row) })),
            partitionOf,
          ),
        )) {
          await send(records);
        }
        await from.drop(chunk.end);
        pauseMs = REPLAY_PAUSE_MIN_MS;
      } catch (error) {
        onFault('the bus is still not taking the spool', error);
        await pause(pauseMs, stop.signal);
        pauseMs = Math.min(pauseMs * 2, REPLAY_PAUSE_MAX_MS);
      }
    }
  }

  startReplay();

  return {
    publish(events) {
      if (events.length === 0) return Promise.resolve();
      if (closed) return Promise.reject(unavailable('Ingest is shutting down.'));
      return new Promise<void>((resolve, reject) => {
        enqueue(events, { openRecords: 0, resolve, reject });
        scheduleWrite();
      });
    },
    async close() {
      if (queues.size > 0 || underWay > 0) await new Promise<void>((resolve) => whenIdle.push(resolve));
      closed = true;
      stop.abort();
      await replaying;
      await spool?.close();
    },
  };
}

/** Splits records so that no partition gets more than one request may hold. */
function* inRequests(records: OutgoingRecord[]): Generator<OutgoingRecord[]> {
  let request: OutgoingRecord[] = [];
  const bytes = new Map<number, number>();
  for (const record of records) {
    const partition = record.partition ?? 0;
    const sum = (bytes.get(partition) ?? 0) + record.value.length;
    if (request.length > 0 && sum > 3 * CHARS_PER_PARTITION_MAX) {
      yield request;
      request = [];
      bytes.clear();
      bytes.set(partition, record.value.length);
    } else bytes.set(partition, sum);
    request.push(record);
  }
  if (request.length > 0) yield request;
}

/** Claude Code retries once after a second and drops the batch when told to wait half a minute. */
function unavailable(detail: string, cause?: unknown): ApiProblem {
  return new ApiProblem(
    'unavailable',
    `${detail} Send the same events again; one that was stored already counts once.`,
    { headers: { 'retry-after': '1' }, cause },
  );
}

function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    if (signal?.aborted === true) done();
    else signal?.addEventListener('abort', done);
  });
}
