import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SubscribeOptions, Subscription } from '../../../contract/bus.ts';
import { startOffset } from '../start-offset.ts';
import type { EndWatcher } from './end-watcher.ts';
import type { GroupMembership } from './groups.ts';
import { monotonicMs } from './groups.ts';
import type { Membership } from './group-state.ts';
import type { LogStore, StoredTopic } from './log-store.ts';

const SESSION_TIMEOUT_MS = 30_000;
const BATCH_BYTES_MAX = 4 * 1024 * 1024;
const HEARTBEAT_MAX_MS = 500;
/** While a generation forms, everybody waits for the last to acknowledge. */
const FORMING_POLL_MS = 10;
const BACKOFF_FIRST_MS = 100;
const BACKOFF_MAX_MS = 5_000;

export interface SubscriptionParts {
  store: LogStore;
  watcher: EndWatcher;
  topic: StoredTopic;
  membership: GroupMembership;
  commit(group: string, nextOffsets: Map<number, number>): Promise<void>;
  onClosed(): void;
}

/** Stops the delivery of one assignment. */
interface Delivery {
  stop(): void;
  /** Resolves when none of its handlers is at work any more. */
  settled: Promise<unknown>;
}

/** A member of a group on the embedded log; see {@link SubscribeOptions} for what it promises. */
export function createSubscription(options: SubscribeOptions, parts: SubscriptionParts): Subscription {
  const { store, watcher, topic, membership } = parts;
  const sessionTimeoutMs = options.sessionTimeoutMs ?? SESSION_TIMEOUT_MS;
  const heartbeatMs = Math.min(HEARTBEAT_MAX_MS, sessionTimeoutMs / 10);
  const batchBytesMax = options.batchBytesMax ?? BATCH_BYTES_MAX;

  let closed = false;
  let joined = false;
  /** Generation whose partitions are assigned, −1 while there is none. */
  let generation = -1;
  let leaseUntilMs = 0;
  let delivery: Delivery | null = null;
  let oldHandlers: Promise<unknown> = Promise.resolve();
  let assigning: Promise<void> = Promise.resolve();
  let failures = 0;
  let timer: NodeJS.Timeout | null = null;

  function fault(error: unknown): void {
    options.onFault?.(error);
  }

  function revoke(): void {
    if (generation < 0) return;
    generation = -1;
    if (delivery) {
      delivery.stop();
      oldHandlers = Promise.all([oldHandlers, delivery.settled]);
      delivery = null;
    }
    try {
      options.onRevoked?.();
    } catch (error) {
      fault(error);
    }
  }

  /** Joins or renews, and follows what the group says. Returns when to come again. */
  function beat(): number {
    const startedAtMs = monotonicMs();
    let now: Membership = joined ? membership.heartbeat() : membership.join();
    if (now.kind === 'unknown') {
      // A successor may be at work: what is waiting here must not be delivered any more.
      fault(new Error(`${options.topic}: the session ran out and others have taken over; joining again`));
      revoke();
      now = membership.join();
    }
    joined = true;
    leaseUntilMs = startedAtMs + sessionTimeoutMs;
    if (now.kind === 'unknown') return heartbeatMs;
    if (now.generation !== generation) {
      revoke();
      if (now.kind === 'stable') {
        generation = now.generation;
        const { partitions } = now;
        const own = generation;
        assigning = assigning.then(() => assign(own, partitions));
      }
    }
    return now.kind === 'forming' ? FORMING_POLL_MS : heartbeatMs;
  }

  function tick(): void {
    timer = null;
    if (closed) return;
    let waitMs = heartbeatMs;
    try {
      waitMs = beat();
    } catch (error) {
      fault(error);
    }
    timer ??= setTimeout(tick, waitMs);
  }

  function beatNow(afterMs: number): void {
    if (timer !== null) clearTimeout(timer);
    timer = closed ? null : setTimeout(tick, afterMs);
  }

  function giveUp(): void {
    revoke();
    if (!joined) return;
    joined = false;
    try {
      membership.leave();
    } catch (error) {
      // The lease runs out by itself.
      fault(error);
    }
  }

  function failed(error: unknown, own: number): void {
    if (own !== generation) return;
    fault(error);
    giveUp();
    beatNow(Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** failures++));
  }

  async function assign(own: number, partitions: number[]): Promise<void> {
    await oldHandlers;
    if (own !== generation) return;
    try {
      const resume = await options.onAssignment([...partitions]);
      if (own !== generation) return;
      store.refresh();
      const positions = new Map(
        partitions.map((partition) => {
          const held = store.head(topic.id, partition);
          return [partition, startOffset(`${topic.name}/${partition}`, resume.get(partition), held, fault)];
        }),
      );
      delivery = deliver(own, positions);
      // Tells retention and lag tools where this group reads, before it has made any progress of its own.
      void parts.commit(options.group, positions).catch(fault);
    } catch (error) {
      failed(error, own);
    }
  }

  function deliver(own: number, positions: Map<number, number>): Delivery {
    const stops = new Set<() => void>();
    const loops = [...positions].map(([partition, from]) => deliverPartition(own, partition, from, stops));
    return {
      stop() {
        for (const stop of stops) stop();
      },
      settled: Promise.all(loops),
    };
  }

  async function deliverPartition(own: number, partition: number, from: number, stops: Set<() => void>): Promise<void> {
    let next = from;
    while (own === generation) {
      try {
        const batch = store.read(topic.id, partition, next, batchBytesMax);
        if (!batch) {
          const { grown, stop } = watcher.beyond(topic.id, partition, next);
          stops.add(stop);
          await grown;
          stops.delete(stop);
          continue;
        }
        if (monotonicMs() > leaseUntilMs) {
          // This process slept past its session. Ask first: a successor may own the partition by now.
          tickNow();
          if (own !== generation || monotonicMs() <= leaseUntilMs) continue;
          throw new Error(`${topic.name}: the session ran out and the group cannot be asked; joining again`);
        }
        await options.onBatch(batch);
        failures = 0;
        next = batch.records.at(-1)!.offset + 1;
      } catch (error) {
        failed(error, own);
        return;
      }
      // The handler may have finished without waiting for anything; heartbeats and sockets get their turn all the same.
      await nextTurn();
    }
  }

  function tickNow(): void {
    if (timer !== null) clearTimeout(timer);
    tick();
  }

  timer = setTimeout(tick, 0);
  return {
    async commit(nextOffsets) {
      if (generation < 0) return;
      try {
        await parts.commit(options.group, nextOffsets);
      } catch (error) {
        // Nothing depends on it but lag tools and retention, and the next commit repairs it.
        fault(error);
      }
    },
    rejoin(_reason) {
      giveUp();
      beatNow(0);
      return Promise.resolve();
    },
    async close() {
      closed = true;
      if (timer !== null) clearTimeout(timer);
      giveUp();
      await assigning;
      await oldHandlers;
      parts.onClosed();
    },
  };
}
