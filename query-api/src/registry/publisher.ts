import type { Bus, CredentialRecord, TopicSpec } from '@lanewatch/ingest/contract';
import { credentialRecordKey, credentialRecordSchema } from '@lanewatch/ingest/contract';
import { LOCKS } from './database.ts';
import type { Database } from './database.ts';

/** Carries committed registry changes to the credentials topic, in order, at least once. */
export interface OutboxPublisher {
  /** Tells that an outbox row was committed. */
  wake(): void;
  /** Whether the outbox row of this id is on the bus, waiting for it at most this long. */
  published(outboxId: number, timeoutMs: number): Promise<boolean>;
  /** Rows committed and not confirmed by the bus. */
  unsent(): Promise<number>;
  close(): Promise<void>;
}

/** Where pages read the registry from, beside the topic. */
export interface RegistryMirror {
  /** Copies records, after they are published. */
  copy(records: readonly CredentialRecord[]): Promise<void>;
  /** Has what reads the copies see all of them. It costs the same for one as for a hundred thousand. */
  refresh(): Promise<void>;
}

const NO_MIRROR: RegistryMirror = { copy: async () => undefined, refresh: async () => undefined };
const BATCH_ROWS = 500;
/** After a failure, and against a lost wake-up or a second process that died with rows unsent. */
const RETRY_MS = 1_000;
const POLL_MS = 5_000;
const CONTENDED_MS = 100;
/** Sent rows are kept this long, for people who look into what went out when. */
const KEPT_MS = 7 * 86_400_000;
const PRUNE_EVERY_MS = 3_600_000;

interface Options {
  database: Database;
  bus: Bus;
  topic: TopicSpec;
  mirror?: RegistryMirror;
  onFault: (error: unknown) => void;
  now: () => number;
}

/**
 * Starts publishing. One process publishes at a time (advisory lock): two at once could put an older version of a record
 * after a newer one, and a compacted topic keeps the last. A row is marked after the bus confirmed it, so a crash between
 * the two sends it again; its version makes that harmless.
 */
export function startPublisher({ database, bus, topic, mirror = NO_MIRROR, onFault, now }: Options): OutboxPublisher {
  const { db } = database;
  const waiting = new Set<{ id: number; done: (sent: boolean) => void }>();
  let closed = false;
  let wanted = true;
  let active = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  const reported = new Set<number>();
  let prunedMs = -Infinity;
  let isStale = false;
  let refreshing: Promise<void> = Promise.resolve();

  /** Once for a backlog, or sooner when somebody waits for a row of it. It resolves when whoever reads sees what was copied until now. */
  function refresh(): Promise<void> {
    if (isStale) {
      isStale = false;
      refreshing = refreshing.then(() => mirror.refresh()).catch(onFault);
    }
    return refreshing;
  }

  /** The rows that can be published. One that can't stays unsent, is told once, and holds up nobody behind it. */
  function publishableOf(rows: { id: string | number; record: unknown }[]): { id: number; record: CredentialRecord }[] {
    return rows.flatMap((row) => {
      const id = Number(row.id);
      const parsed = credentialRecordSchema.safeParse(row.record);
      if (parsed.success) return [{ id, record: parsed.data }];
      if (!reported.has(id)) onFault(new Error(`Outbox row ${id} is no credential record.`, { cause: parsed.error }));
      reported.add(id);
      return [];
    });
  }

  /** Publishes the next unsent rows after `afterId`. The last id it looked at, or null when there was none. */
  async function publishBatch(afterId: number): Promise<number | null> {
    const rows = await db
      .selectFrom('outbox')
      .select(['id', 'record'])
      .where('sent_at', 'is', null)
      .where('id', '>', String(afterId))
      .orderBy('id')
      .limit(BATCH_ROWS)
      .execute();
    const last = rows.at(-1);
    if (last === undefined) return null;
    const publishable = publishableOf(rows);
    if (publishable.length > 0) {
      await bus.publish(
        topic.name,
        publishable.map(({ record }) => ({
          key: credentialRecordKey(record),
          value: Buffer.from(JSON.stringify(record), 'utf8'),
        })),
      );
      // Best effort: the detectors copy the topic as well. Not before the topic has them, which decides what counts.
      await mirror.copy(publishable.map(({ record }) => record)).then(() => (isStale = true), onFault);
      await markSent(publishable.map(({ id }) => id));
    }
    return Number(last.id);
  }

  /**
   * What a registration decided holds from here on: until now the detector could not know of it, so that an occurrence in
   * between is no regression. Such a decision still has the time of its outbox row; one that moved does not move again.
   */
  async function markSent(ids: number[]): Promise<void> {
    const at = new Date(now());
    await db.transaction().execute(async (transaction) => {
      await transaction.updateTable('outbox').set({ sent_at: at }).where('id', 'in', ids.map(String)).execute();
      await transaction
        .updateTable('triage')
        .from('outbox')
        .set({ at })
        .where('outbox.id', 'in', ids.map(String))
        .whereRef('triage.credential_id', '=', 'outbox.credential_id')
        .whereRef('triage.at', '=', 'outbox.created_at')
        .execute();
    });
    const sent = new Set(ids);
    for (const waiter of waiting) if (sent.has(waiter.id)) waiter.done(true);
  }

  /** Tells whoever waits for a row that another process has sent. */
  async function tellWaiters(): Promise<void> {
    if (waiting.size === 0) return;
    const rows = await db
      .selectFrom('outbox')
      .select('id')
      .where(
        'id',
        'in',
        [...waiting].map(({ id }) => String(id)),
      )
      .where('sent_at', 'is not', null)
      .execute();
    const sent = new Set(rows.map(({ id }) => Number(id)));
    if (sent.size > 0) isStale = true;
    for (const waiter of waiting) if (sent.has(waiter.id)) waiter.done(true);
  }

  /** Removes what was sent long ago. The newest row stays: its id is the registry's version. */
  async function prune(): Promise<void> {
    if (now() - prunedMs < PRUNE_EVERY_MS) return;
    prunedMs = now();
    await db
      .deleteFrom('outbox')
      .where('sent_at', '<', new Date(now() - KEPT_MS))
      .where('id', '<', (eb) => eb.selectFrom('outbox').select(({ fn }) => fn.max('id').as('id')))
      .execute();
  }

  /** Publishes until nothing is unsent. False when another process holds the lock and somebody here waits for a row. */
  async function drain(): Promise<boolean> {
    const ran = await database.exclusively(LOCKS.publisher, async () => {
      try {
        for (let last: number | null = 0; last !== null && !closed;) last = await publishBatch(last);
      } finally {
        await refresh();
      }
      await prune();
    });
    await tellWaiters();
    return ran || waiting.size === 0;
  }

  function schedule(delayMs: number): void {
    if (closed) return;
    clearTimeout(timer);
    timer = setTimeout(wake, delayMs);
    timer.unref();
  }

  async function run(): Promise<void> {
    try {
      while (wanted && !closed) {
        wanted = false;
        // The other process may already have looked past our row, so look again soon.
        if (!(await drain())) return schedule(CONTENDED_MS);
      }
      schedule(POLL_MS);
    } catch (error) {
      onFault(error);
      schedule(RETRY_MS);
    } finally {
      active = false;
    }
  }

  function wake(): void {
    wanted = true;
    if (active || closed) return;
    active = true;
    running = run();
  }
  wake();

  async function isSent(id: number): Promise<boolean> {
    const row = await db.selectFrom('outbox').select('sent_at').where('id', '=', String(id)).executeTakeFirst();
    return row !== undefined && row.sent_at !== null;
  }

  return {
    wake,
    async published(outboxId, timeoutMs) {
      if (closed) return isSent(outboxId);
      let done: (sent: boolean) => void = () => undefined;
      const sent = new Promise<boolean>((resolve) => (done = resolve));
      let timeOut: () => void = () => undefined;
      const timedOut = new Promise<false>((resolve) => (timeOut = () => resolve(false)));
      const waiter = { id: outboxId, done };
      waiting.add(waiter);
      const deadline = setTimeout(timeOut, timeoutMs);
      try {
        wake();
        // It may have gone out before this waiter was there, or be sent by another process, which refreshes when it is through.
        const isOut = await isSent(outboxId);
        if (isOut) isStale = true;
        const isOnBus = isOut || (await Promise.race([sent, timedOut])) || (await isSent(outboxId));
        if (isOnBus) await Promise.race([refresh(), timedOut]);
        return isOnBus;
      } finally {
        clearTimeout(deadline);
        waiting.delete(waiter);
      }
    },
    async unsent() {
      const row = await db
        .selectFrom('outbox')
        .select(({ fn }) => fn.countAll<string>().as('rows'))
        .where('sent_at', 'is', null)
        .executeTakeFirst();
      return Number(row?.rows ?? 0);
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      for (const waiter of waiting) waiter.done(false);
      await running;
    },
  };
}
