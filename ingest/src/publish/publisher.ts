import { setTimeout as delay } from 'node:timers/promises';
import { USAGE_ROW_VERSION, type UsageEvent } from '../../contract/index.ts';
import { ApiProblem } from '../problem.ts';
import { createRecordQueues, type QueuedRecord } from './record-queues.ts';
import { keyOfRow, type PreparedRow, recordOf } from './rows.ts';
import { createSender, type Refusal, type SenderOptions } from './sender.ts';
import { RefusedFullError } from './refused-file.ts';
import type { Spool } from './spool.ts';

/** Rows of the spool that are published together. */
const REPLAY_BYTES = 512 * 1024;
const REPLAY_PAUSE_MIN_MS = 100;
const REPLAY_PAUSE_MAX_MS = 5_000;
/** Batches on their way to the bus at once: while it confirms one, the events of the next are encoded and sent. */
const BATCHES_UNDER_WAY_MAX = 2;

export interface PublisherOptions extends SenderOptions {
  /** How long a lone request waits for others to share its records. */
  lingerMs: number;
  /** null: without a spool a bus that is down is answered with 503. */
  spool: Spool | null;
  onBatch?(outcome: { to: 'bus' | 'spool'; rows: number; seconds: number }): void;
  onFault(what: string, error: unknown): void;
}

export interface Publisher {
  /**
   * Resolves when all events are durable: confirmed by the bus, or fsynced in the spool. What the bus refuses for good is put
   * aside in the spool and reported.
   * @throws ApiProblem unavailable (with Retry-After) when neither takes all of them; internal when the bus refuses one of them for good
   *   and it cannot be put aside
   */
  publish(events: readonly UsageEvent[]): Promise<void>;
  /** Waits for what is under way, stops replaying. What the spool holds stays there for the next start. */
  close(): Promise<void>;
}

interface Outcome {
  to: 'bus' | 'spool';
  /** Rows that are nowhere, and what their senders are told. */
  lost: ReadonlyMap<PreparedRow, ApiProblem>;
}
const NONE: Outcome['lost'] = new Map();

/**
 * Groups events of concurrent requests into records and writes a few batches at a time: while they are under way the next one
 * fills up, so that batches grow with the load. The bus keeps the order of its calls per partition. While the spool holds
 * anything, new events go behind it; only events of requests that overlapped can change places when the bus fails one batch
 * and takes the next.
 */
export function createPublisher(options: PublisherOptions): Publisher {
  const { spool, onFault } = options;
  const sender = createSender(options);
  const queues = createRecordQueues(options.partitionOf);
  let lingering: NodeJS.Timeout | null = null;
  let underWay = 0;
  /** The last append to the spool, which takes one at a time. */
  let spooling: Promise<unknown> = Promise.resolve();
  let whenIdle: (() => void)[] = [];
  let replaying: Promise<void> | null = null;
  let closed = false;
  const stop = new AbortController();

  /** Starts batches as far as they may; a lone request first waits for others to share its records. */
  function scheduleWrite(): void {
    if (lingering !== null || underWay === BATCHES_UNDER_WAY_MAX) return;
    lingering = setTimeout(() => {
      lingering = null;
      startBatches();
    }, options.lingerMs);
  }

  function startBatches(): void {
    while (!queues.isEmpty && underWay < BATCHES_UNDER_WAY_MAX) {
      underWay++;
      void writeBatch().finally(() => {
        underWay--;
        startBatches();
      });
    }
    if (!queues.isEmpty || underWay > 0) return;
    for (const resolve of whenIdle) resolve();
    whenIdle = [];
  }

  async function writeBatch(): Promise<void> {
    const batch = queues.takeBatch();
    const started = performance.now();
    let failure: unknown = null;
    let outcome: Outcome = { to: 'bus', lost: NONE };
    try {
      outcome = await write(batch);
    } catch (error) {
      failure = error;
    }
    for (const { filling } of batch) {
      const lost = outcome.lost.size > 0 ? filling.rows.find((row) => outcome.lost.has(row)) : undefined;
      for (const waiter of filling.waiters) {
        if (failure !== null) waiter.reject(failure);
        else if (lost !== undefined) waiter.reject(outcome.lost.get(lost));
        else if (--waiter.openRecords === 0) waiter.resolve();
      }
    }
    if (failure === null) {
      const rows = batch.reduce((sum, { filling }) => sum + filling.rows.length, 0);
      options.onBatch?.({ to: outcome.to, rows, seconds: (performance.now() - started) / 1000 });
    }
  }

  async function write(batch: QueuedRecord[]): Promise<Outcome> {
    let refusals: Refusal[] | null = null;
    if (spool === null || spool.isEmpty) {
      try {
        const records = batch.map(({ partition, filling }) => recordOf(filling.rows, partition, USAGE_ROW_VERSION));
        refusals = await sender.sendPacked(records, () => batch.flatMap(({ filling }) => filling.rows));
      } catch (error) {
        onFault('the bus did not take a batch', error);
        if (spool === null) throw unavailable('The message bus is not reachable.', error);
      }
    }
    if (refusals === null)
      return toSpool(
        spool!,
        batch.flatMap(({ filling }) => filling.rows),
      );
    if (refusals.length === 0) return { to: 'bus', lost: NONE };
    if (spool === null) reportRefusals(refusals, 'there is no spool to put them aside');
    else if (await keepRefused(spool, refusals)) return { to: 'bus', lost: NONE };
    const problem = refusedProblem();
    return { to: 'bus', lost: new Map(refusals.map(({ row }) => [row, problem])) };
  }

  async function toSpool(to: Spool, rows: PreparedRow[]): Promise<Outcome> {
    let stored: number;
    try {
      const added = { rows: rows.map(({ row }) => row), version: USAGE_ROW_VERSION };
      stored = await spoolInTurn(() => to.append(added));
    } catch (error) {
      onFault('the spool did not take a batch', error);
      throw spoolTakesNoMore(to, error);
    }
    startReplay();
    if (stored === rows.length) return { to: 'spool', lost: NONE };
    const problem = spoolTakesNoMore(to);
    return { to: 'spool', lost: new Map(rows.slice(stored).map((row) => [row, problem])) };
  }

  /** False when they could not be put aside. */
  async function keepRefused(to: Spool, refusals: Refusal[]): Promise<boolean> {
    try {
      await putAside(to, refusals, USAGE_ROW_VERSION);
      return true;
    } catch (error) {
      onFault('the spool did not take what the bus refuses', error);
      return false;
    }
  }

  function spoolInTurn<T>(step: () => Promise<T>): Promise<T> {
    const done = spooling.then(step);
    spooling = done.catch(() => undefined);
    return done;
  }

  async function putAside(to: Spool, refusals: Refusal[], version: string): Promise<void> {
    await spoolInTurn(() => to.putAside({ rows: refusals.map(({ row }) => row.row), version }));
    reportRefusals(refusals, `they lie in ${to.refusedPath} and are tried again at the next start`);
  }

  function reportRefusals(refusals: Refusal[], where: string): void {
    const { error } = refusals[0]!;
    onFault('the bus refuses events', new Error(`${refusals.length} events, ${where}: ${error.message}`));
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
        const rows = chunk.rows.map((row) => ({ row, key: keyOfRow(row) }));
        const refusals = await sender.sendRows(rows, chunk.version);
        if (refusals.length > 0) await putAside(from, refusals, chunk.version);
        await from.drop(chunk.end);
        pauseMs = REPLAY_PAUSE_MIN_MS;
      } catch (error) {
        const isFull = error instanceof RefusedFullError;
        onFault(
          isFull ? 'the bus refuses more events than may be kept' : 'the bus is still not taking the spool',
          error,
        );
        // The only way for it to fail is that closing cuts it short.
        await delay(pauseMs, undefined, { signal: stop.signal }).catch(() => undefined);
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
        queues.add(events, { openRecords: 0, resolve, reject });
        scheduleWrite();
      });
    },
    async close() {
      if (!queues.isEmpty || underWay > 0) await new Promise<void>((resolve) => whenIdle.push(resolve));
      closed = true;
      stop.abort();
      await replaying;
      await spool?.close();
    },
  };
}

/** Claude Code retries once after a second and drops the batch when told to wait half a minute. */
function unavailable(detail: string, cause?: unknown): ApiProblem {
  return new ApiProblem(
    'unavailable',
    `${detail} Send the same events again; one that was stored already counts once.`,
    { headers: { 'retry-after': '1' }, cause },
  );
}

const spoolTakesNoMore = (spool: Spool, cause?: unknown) =>
  unavailable(spool.fullBecause ?? 'The message bus is not reachable and the spool on disk takes no more.', cause);

function refusedProblem(): ApiProblem {
  return new ApiProblem('internal', 'The message bus refuses one of these events; the fault was logged.');
}
