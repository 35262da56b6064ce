import type { SubscribeOptions, Subscription } from '../../../contract/bus.ts';
import type { TopicAdmin } from './admin.ts';
import type { Kafka } from './client.ts';
import { startMember } from './member.ts';
import type { Member, MemberOptions } from './member.ts';
import { createPauses } from './pauses.ts';

const SESSION_TIMEOUT_MS = 30_000;
const BATCH_BYTES_MAX = 4 * 1024 * 1024;
const BACKOFF_FIRST_MS = 100;
const BACKOFF_MAX_MS = 5_000;
/** A member that lived this long without a fault has recovered; the next fault starts with the short delay again. */
const RECOVERED_AFTER_MS = 30_000;
const RETRY_HERE_MS = 1_000;

export interface KafkaSubscription extends Subscription {
  /** Next offset per partition being delivered. */
  positions(): Map<number, number>;
}

/**
 * Keeps one member in the group for as long as the subscription is open: whatever ends a member, a new one joins, after faults
 * with a growing delay.
 */
export function createSubscription(
  kafka: Kafka,
  admin: TopicAdmin,
  options: SubscribeOptions & Pick<MemberOptions, 'commitsNothing'>,
  stallTimeoutMs: number,
  onClosed: () => void,
): KafkaSubscription {
  const memberOptions = {
    ...options,
    sessionTimeoutMs: options.sessionTimeoutMs ?? SESSION_TIMEOUT_MS,
    batchBytesMax: options.batchBytesMax ?? BATCH_BYTES_MAX,
  };
  let closed = false;
  let member: Member | null = null;
  const pauses = createPauses();
  let handlersSettled: Promise<void> = Promise.resolve();
  let whenStopped = Promise.withResolvers<undefined>();

  async function run(): Promise<void> {
    let failures = 0;
    while (!closed) {
      const startedAt = performance.now();
      const current = startMember(kafka, memberOptions, (topic) => boundsWithRetry(topic), handlersSettled);
      member = current;
      const watchdog = setInterval(() => void checkProgress(current), Math.max(50, stallTimeoutMs / 3));
      const { reason, fault } = await current.ended;
      clearInterval(watchdog);
      if (fault !== undefined) options.onFault?.(fault);
      else if (!closed && reason !== 'rejoin')
        options.onFault?.(new Error(`${options.topic}: ${reason}; joining again`));
      await current.stop();
      handlersSettled = current.settled();
      member = null;
      const stopped = whenStopped;
      whenStopped = Promise.withResolvers();
      stopped.resolve(undefined);
      if (performance.now() - startedAt > RECOVERED_AFTER_MS) failures = 0;
      if (fault !== undefined && !closed)
        await pauses.pause(Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** failures++));
    }
  }

  /** The coordinator answered just now, so a question that fails is worth asking again before leaving the group over it. */
  async function boundsWithRetry(topic: string) {
    try {
      return await admin.bounds(topic);
    } catch {
      if (!closed) await pauses.pause(RETRY_HERE_MS);
      return admin.bounds(topic);
    }
  }

  /**
   * Watches for kafkajs' issue 659: the consumer keeps its membership and fetches nothing. Silence alone is no fault on an idle
   * topic, so the broker is asked whether there was something to read.
   */
  async function checkProgress(watched: Member): Promise<void> {
    const now = performance.now();
    const lanes = [...watched.lanes.values()];
    if (lanes.length === 0 || lanes.some((lane) => lane.pending)) return;
    if (now - watched.lastFetchAt > stallTimeoutMs) {
      watched.end(`no fetch came back for ${stallTimeoutMs} ms`);
      return;
    }
    if (now - watched.lastDeliveryAt < stallTimeoutMs) return;
    const positions = lanes.map((lane) => ({ lane, next: lane.next }));
    const bounds = await admin.bounds(options.topic).catch(() => null);
    // What moved while the broker answered is not stuck.
    const behind = positions.filter(({ lane, next }) => (bounds?.get(lane.partition)?.end ?? 0) > next);
    if (behind.length === 0) return;
    if (closed) return;
    await pauses.pause(Math.min(1_000, stallTimeoutMs));
    if (
      behind.some(({ lane, next }) => watched.lanes.get(lane.partition) === lane && lane.next === next && !lane.pending)
    )
      watched.end(`records wait and nothing was delivered for ${stallTimeoutMs} ms`);
  }

  const running = run();
  return {
    positions: () =>
      new Map([...(member?.lanes ?? [])].map(([partition, lane]) => [partition, lane.pending ? -1 : lane.next])),
    async commit(nextOffsets) {
      try {
        await member?.commit(nextOffsets);
      } catch (error) {
        // Nothing depends on it but the lag tools, and the next commit repairs it.
        options.onFault?.(error);
      }
    },
    async rejoin(_reason) {
      if (!member) return;
      const stopped = whenStopped.promise;
      member.end('rejoin');
      await stopped;
    },
    async close() {
      closed = true;
      pauses.end();
      member?.end('closed');
      await running;
      await handlersSettled;
      onClosed();
    },
  };
}
