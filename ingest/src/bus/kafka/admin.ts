import { setTimeout as delay } from 'node:timers/promises';
import type { PartitionLag } from '../../../contract/bus.ts';
import type { TopicSpec } from '../../../contract/topics.ts';
import { brokerErrorType } from './client.ts';
import type { Admin, Kafka } from './client.ts';
import { unavailable } from './publisher.ts';

export interface PartitionBounds {
  /** First offset that is still there. */
  first: number;
  /** Offset that the next record will get. */
  end: number;
}

/** Questions about topics and groups, over one connection that is opened when the first is asked. */
export interface TopicAdmin {
  ensureTopics(topics: TopicSpec[]): Promise<void>;
  /** Partitions that the topic has now; 0 when there is no such topic. */
  countPartitions(topic: string): Promise<number>;
  /** As {@link countPartitions} said within the last minute or so. */
  knownPartitionCount(topic: string): Promise<number>;
  /** By partition. */
  bounds(topic: string): Promise<Map<number, PartitionBounds>>;
  lag(topic: string, group: string): Promise<PartitionLag[]>;
  deleteGroup(group: string): Promise<void>;
  close(): Promise<void>;
}

/** Room for a single event of 10 MB, which ingest accepts. */
const MESSAGE_BYTES_MAX = 16 * 1024 * 1024;
const PARTITION_COUNT_TTL_MS = 60_000;
const COORDINATOR_MOVES = new Set([
  'NOT_COORDINATOR_FOR_GROUP',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'GROUP_LOAD_IN_PROGRESS',
]);
/** What brokers say of a topic that the controller has made and they have not heard of, or do not lead, yet. */
const NOT_THERE_YET = new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE', 'NOT_LEADER_FOR_PARTITION']);
const NEW_TOPIC_ATTEMPTS_MAX = 100;
const NEW_TOPIC_RETRY_MS = 100;
const COORDINATOR_ATTEMPTS_MAX = 30;
const COORDINATOR_RETRY_MS = 100;

export function createTopicAdmin(kafka: Kafka, replicationFactor: number, retentionMs?: number): TopicAdmin {
  const admin: Admin = kafka.admin({ retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 4 } });
  let connecting: Promise<void> | null = null;
  /** Whether there may be connections, also after a question that failed. */
  let everConnected = false;
  const partitionCounts = new Map<string, { count: number; at: number }>();
  const counting = new Map<string, Promise<number>>();

  async function ask<T>(what: string, question: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        everConnected = true;
        connecting ??= admin.connect();
        await connecting;
        return await question();
      } catch (error) {
        // kafkajs does not repeat this one: the broker still loads the group's partition, or it has moved.
        if (COORDINATOR_MOVES.has(brokerErrorType(error)) && attempt < COORDINATOR_ATTEMPTS_MAX) {
          await delay(COORDINATOR_RETRY_MS);
          continue;
        }
        connecting = null;
        throw unavailable(what, error);
      }
    }
  }

  /** Until every partition's leader answers for it: metadata may name a leader that does not know that it is one. */
  async function untilThere(topics: string[]): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        for (const topic of topics) await admin.fetchTopicOffsets(topic);
        return;
      } catch (error) {
        if (!NOT_THERE_YET.has(brokerErrorType(error)) || attempt === NEW_TOPIC_ATTEMPTS_MAX) throw error;
        await delay(NEW_TOPIC_RETRY_MS);
      }
    }
  }

  function countPartitions(topic: string): Promise<number> {
    let count = counting.get(topic);
    if (!count) {
      count = askForPartitions(topic).finally(() => counting.delete(topic));
      counting.set(topic, count);
    }
    return count;
  }

  async function askForPartitions(topic: string): Promise<number> {
    const { topics } = await ask(`Kafka does not answer about topic ${topic}`, () =>
      admin.fetchTopicMetadata({ topics: [topic] }),
    );
    const count = topics.find(({ name }) => name === topic)?.partitions.length ?? 0;
    partitionCounts.set(topic, { count, at: performance.now() });
    return count;
  }

  async function knownPartitionCount(topic: string): Promise<number> {
    const known = partitionCounts.get(topic);
    if (!known) return countPartitions(topic);
    // Good enough while the question is under way or cannot be answered: the publisher asks anew when a partition is not there.
    if (performance.now() - known.at >= PARTITION_COUNT_TTL_MS) countPartitions(topic).catch(() => undefined);
    return known.count;
  }

  async function bounds(topic: string): Promise<Map<number, PartitionBounds>> {
    const rows = await ask(`Kafka does not answer about the offsets of ${topic}`, () => admin.fetchTopicOffsets(topic));
    return new Map(rows.map(({ partition, low, high }) => [partition, { first: Number(low), end: Number(high) }]));
  }

  return {
    countPartitions,
    knownPartitionCount,
    bounds,
    async ensureTopics(topics) {
      const existing = new Set(await ask('Kafka does not list its topics', () => admin.listTopics()));
      const missing = topics.filter(({ name }) => !existing.has(name));
      if (missing.length === 0) return;
      await ask('Kafka does not create topics', async () => {
        try {
          await admin.createTopics({
            // kafkajs itself would wait for leaders only, and fail on a broker that does not know the topic yet.
            waitForLeaders: false,
            topics: missing.map(({ name, partitions, compacted }) => ({
              topic: name,
              numPartitions: partitions,
              replicationFactor,
              configEntries: [
                { name: 'max.message.bytes', value: String(MESSAGE_BYTES_MAX) },
                { name: 'cleanup.policy', value: compacted ? 'compact' : 'delete' },
                // The port promises when the bus took a record. A producer's own time would steer what receipt is compared with.
                { name: 'message.timestamp.type', value: 'LogAppendTime' },
                ...(retentionMs === undefined || compacted
                  ? []
                  : [{ name: 'retention.ms', value: String(retentionMs) }]),
              ],
            })),
          });
        } catch (error) {
          const refusals = refusalsOf(error).filter((refusal) => brokerErrorType(refusal) !== 'TOPIC_ALREADY_EXISTS');
          // Services start together and want the same topics: whoever comes second finds them there.
          if (refusals.length > 0) throw new Error(refusalText(refusals), { cause: error });
        }
        await untilThere(missing.map(({ name }) => name));
      });
    },
    async lag(topic, group) {
      const ends = await bounds(topic);
      const committed = await ask(`Kafka does not answer about group ${group}`, () =>
        admin.fetchOffsets({ groupId: group, topics: [topic] }),
      );
      const offsets = new Map(committed[0]?.partitions.map(({ partition, offset }) => [partition, Number(offset)]));
      return [...ends]
        .sort(([left], [right]) => left - right)
        .map(([partition, { first, end }]) => {
          // Where nothing is committed yet, everything that is there is still to be read.
          const committedOffset = Math.max(offsets.get(partition) ?? -1, first);
          return { partition, committedOffset, endOffset: end, lag: Math.max(0, end - committedOffset) };
        });
    },
    async deleteGroup(group) {
      await ask(`Kafka does not delete group ${group}`, () => admin.deleteGroups([group]));
    },
    async close() {
      if (everConnected) await admin.disconnect().catch(() => undefined);
    },
  };
}

/** What Kafka said about each topic. kafkajs wraps it in an error that says nothing itself. */
function refusalsOf(error: unknown): unknown[] {
  return error instanceof Error && 'errors' in error && Array.isArray(error.errors) ? error.errors : [error];
}

const FORBIDDEN = /_AUTHORIZATION_FAILED$/;

function refusalText(refusals: unknown[]): string {
  const texts = refusals.map((refusal) => {
    if (!(refusal instanceof Error)) return String(refusal);
    const topic = 'topic' in refusal ? `${String(refusal.topic)}: ` : '';
    const type = brokerErrorType(refusal);
    return `${topic}${refusal.message}${type === '' ? '' : ` (${type})`}`;
  });
  const forbidden = refusals.some((refusal) => FORBIDDEN.test(brokerErrorType(refusal)));
  return `${texts.join('; ')}${forbidden ? '; allow this user to, or create them beforehand' : ''}`;
}
