import type { BusRecord, RecordBatch, SubscribeOptions } from '../../../contract/bus.ts';
import { startOffset } from '../start-offset.ts';
import type { PartitionBounds } from './admin.ts';
import type { Consumer, EachBatchPayload, Kafka } from './client.ts';
import { createLane } from './lane.ts';
import type { PartitionLane } from './lane.ts';
import { appendRecords } from './record-batch.ts';

/** One consumer's life in the group: from joining until it ends for a reason; its successor starts afresh. */
export interface Member {
  /** Resolves with the reason once this member is of no more use; `fault` when it is one. */
  readonly ended: Promise<{ reason: string; fault?: unknown }>;
  /** Partitions assigned and being delivered now. */
  readonly lanes: ReadonlyMap<number, PartitionLane>;
  /** When it last had proof of progress: a fetch that came back or a batch. `performance.now()`. */
  readonly lastFetchAt: number;
  readonly lastDeliveryAt: number;
  end(reason: string, fault?: unknown): void;
  commit(nextOffsets: Map<number, number>): Promise<void>;
  /** Leaves the group; resolves when the membership is given up. A handler may still be at work. */
  stop(): Promise<void>;
  /** Resolves when no handler of this member, or of one before it, is at work any more. */
  settled(): Promise<void>;
}

export interface MemberOptions extends SubscribeOptions {
  sessionTimeoutMs: number;
  batchBytesMax: number;
  /** For a group that nobody asks for its lag: with offsets in it a broker would keep it for days after its member is gone. */
  commitsNothing?: boolean;
}

/**
 * How long one fetch waits for data, and so how long a partition that was paused waits at most to be fetched again. Fetches
 * with data return at once.
 */
const FETCH_WAIT_MS = 50;
/** Bytes of one fetch over all partitions. */
const FETCH_BYTES_MAX = 12 * 1024 * 1024;
/**
 * How long a full partition may hold up the fetch loop, which serves all partitions of a broker together, before it is
 * paused alone. Shorter than any heartbeat interval, so that the loop keeps the membership alive during long batches.
 */
const HOLD_MS = 20;
/** More than partitions of a broker: every partition is handed over as it arrives. */
const CONCURRENT_PARTITIONS = 256;
/** After this long an orderly leave is given up and the session left to expire. */
const STOP_DEADLINE_MS = 10_000;

/**
 * Joins the group and delivers until something ends it.
 *
 * kafkajs starts at the committed offset and forgets that a handler may still work on records of an earlier assignment. So every
 * assignment first pauses all its partitions, inside the event that announces it and before any fetch; then the handlers of the
 * old one settle, `onAssignment` names the resume offsets, each partition is moved there, and only then resumed. A batch that
 * was fetched from any other position is thrown away.
 */
export function startMember(
  kafka: Kafka,
  options: MemberOptions,
  boundsOf: (topic: string) => Promise<Map<number, PartitionBounds>>,
  handlersSettled: Promise<void>,
): Member {
  const { topic, group, sessionTimeoutMs } = options;
  const consumer: Consumer = kafka.consumer({
    groupId: group,
    sessionTimeout: sessionTimeoutMs,
    rebalanceTimeout: sessionTimeoutMs,
    heartbeatInterval: Math.max(100, Math.min(3_000, Math.floor(sessionTimeoutMs / 6))),
    maxBytesPerPartition: options.batchBytesMax,
    maxBytes: FETCH_BYTES_MAX,
    maxWaitTimeInMs: FETCH_WAIT_MS,
    allowAutoTopicCreation: false,
    // Restarts are ours: kafkajs gives up silently on errors it calls non-retriable.
    retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 5, restartOnFailure: () => Promise.resolve(false) },
  });

  const ended = Promise.withResolvers<{ reason: string; fault?: unknown }>();
  let isEnded = false;
  let generation = 0;
  let active = false;
  /** From joining until revocation, whether or not onAssignment has settled. */
  let assigned = false;
  let lanes = new Map<number, PartitionLane>();
  let settled = handlersSettled;
  let assigning: Promise<void> = Promise.resolve();
  let lastFetchAt = performance.now();
  let lastDeliveryAt = performance.now();
  // The session as the coordinator counts it: from the moment a confirmed heartbeat was sent, not from its answer.
  let heartbeatSentAt = performance.now();
  let confirmedAt = performance.now();

  function end(reason: string, fault?: unknown): void {
    if (isEnded) return;
    isEnded = true;
    revoke();
    ended.resolve({ reason, fault });
  }

  function revoke(): void {
    active = false;
    generation++;
    const old = [...lanes.values()];
    lanes = new Map();
    for (const lane of old) lane.close();
    const before = settled;
    settled = Promise.all([before, ...old.map((lane) => lane.settled())]).then(() => undefined);
    if (!assigned) return;
    assigned = false;
    try {
      options.onRevoked?.();
    } catch (error) {
      fault(error);
    }
  }

  function sessionIsOver(): boolean {
    return performance.now() - confirmedAt > sessionTimeoutMs;
  }

  function joined(partitions: number[]): void {
    revoke();
    if (partitions.length > 0) consumer.pause([{ topic, partitions }]);
    if (isEnded) return;
    confirmedAt = heartbeatSentAt;
    assigned = true;
    const own = generation;
    assigning = assigning.then(() => assign(own, partitions));
  }

  function fault(error: unknown): void {
    options.onFault?.(error);
  }

  async function commit(nextOffsets: ReadonlyMap<number, number>): Promise<void> {
    const offsets = [...nextOffsets].flatMap(([partition, offset]) => {
      const lane = lanes.get(partition);
      return lane === undefined ? [] : [{ topic, partition, offset: String(lane.noteDone(offset)) }];
    });
    if (offsets.length > 0 && !sessionIsOver()) await consumer.commitOffsets(offsets);
  }

  async function assign(own: number, partitions: number[]): Promise<void> {
    try {
      await settled;
      if (own !== generation) return;
      const resume = await options.onAssignment([...partitions].sort((left, right) => left - right));
      if (own !== generation || partitions.length === 0) return;
      const bounds = await boundsOf(topic);
      if (own !== generation) return;
      const positions = new Map<number, number>();
      for (const partition of partitions) {
        const wanted = resume.get(partition);
        const held = bounds.get(partition);
        const next = held === undefined ? (wanted ?? 0) : startOffset(`${topic}/${partition}`, wanted, held, fault);
        positions.set(partition, next);
        lanes.set(partition, createLane(partition, next, deliver));
        consumer.seek({ topic, partition, offset: String(next) });
      }
      active = true;
      consumer.resume([{ topic, partitions }]);
      // Where reading resumes is known progress: a member that was killed before it committed would leave lag on an idle topic.
      if (options.commitsNothing !== true) commit(positions).catch(fault);
    } catch (error) {
      if (own === generation) end('onAssignment failed', error);
    }
  }

  /** Hands one batch to the handler; false when nothing more may be delivered. */
  async function deliver(batch: RecordBatch): Promise<boolean> {
    if (sessionIsOver()) {
      // This process slept past its session (a suspended machine, SIGSTOP): a successor may own the partition by now.
      end('the session ran out');
      return false;
    }
    const own = generation;
    try {
      lastDeliveryAt = performance.now();
      await options.onBatch(batch);
      lastDeliveryAt = performance.now();
      return own === generation;
    } catch (error) {
      if (own === generation) end('onBatch failed', error);
      return false;
    }
  }

  async function eachBatch({ batch, isStale, pause }: EachBatchPayload): Promise<void> {
    const { partition } = batch;
    const lane = lanes.get(partition);
    if (!active || !lane || isStale()) return;
    const fetchedFrom = Number((batch as typeof batch & { fetchedOffset: string }).fetchedOffset);
    const last = Number(batch.lastOffset());
    if (fetchedFrom > lane.next || last < lane.next) {
      consumer.seek({ topic, partition, offset: String(lane.next) });
      return;
    }
    const records: BusRecord[] = [];
    for (const message of batch.messages) appendRecords(message, partition, lane.next, records);
    lane.next = last + 1;
    lane.offer(records, Number(batch.highWatermark));
    if (lane.hasRoom) return;
    if (await within(lane.room(), HOLD_MS)) return;
    const resume = pause();
    const own = generation;
    void lane.room().then(() => {
      if (own === generation) resume();
    });
  }

  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    joined(payload.memberAssignment[topic] ?? []);
  });
  consumer.on(consumer.events.REBALANCING, () => {
    revoke();
  });
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    end('the consumer failed', payload.error);
  });
  consumer.on(consumer.events.REQUEST, ({ payload }) => {
    if (payload.apiName === 'Heartbeat' || payload.apiName === 'SyncGroup')
      heartbeatSentAt = performance.now() - (Date.now() - payload.sentAt);
  });
  consumer.on(consumer.events.HEARTBEAT, () => {
    confirmedAt = heartbeatSentAt;
  });
  consumer.on(consumer.events.FETCH, () => {
    lastFetchAt = performance.now();
  });
  consumer.on(consumer.events.START_BATCH_PROCESS, ({ payload }) => {
    // Batches that hold only markers of transactions never reach eachBatch, and still are progress.
    const lane = payload.batchSize === 0 ? lanes.get(payload.partition) : undefined;
    if (!lane || !active) return;
    lane.next = Math.max(lane.next, Number(payload.lastOffset) + 1);
    // Nobody is handed anything of it, so nobody would commit it: the partition would seem to lag behind for ever.
    if (lane.isDone) commit(new Map([[payload.partition, lane.next]])).catch(fault);
  });

  /** Settles when the consumer is either running or done for: before that, kafkajs can't be stopped. */
  const started = (async () => {
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: [topic], fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: true,
        partitionsConsumedConcurrently: CONCURRENT_PARTITIONS,
        eachBatch,
      });
    } catch (error) {
      end('the consumer did not start', error);
    }
  })();

  return {
    ended: ended.promise,
    get lanes() {
      return lanes;
    },
    get lastFetchAt() {
      return lastFetchAt;
    },
    get lastDeliveryAt() {
      return lastDeliveryAt;
    },
    end,
    commit,
    async stop() {
      end('stopped');
      const left = started.then(() => consumer.disconnect()).catch(() => undefined);
      await within(left, STOP_DEADLINE_MS);
    },
    async settled() {
      await assigning;
      await settled;
    },
  };
}

/** True when the promise settled in time. */
async function within(promise: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => {
      resolve(false);
    }, timeoutMs);
  });
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
