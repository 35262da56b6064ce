import { BusUnavailableError } from '../../../contract/bus.ts';
import type { Bus, SubscribeOptions } from '../../../contract/bus.ts';
import type { KafkaConnection, OpenBusOptions } from '../options.ts';
import { createTopicAdmin } from './admin.ts';
import { createKafka } from './client.ts';
import { createLatestView } from './latest-view.ts';
import { limitLog } from './log-limit.ts';
import { createPublisher } from './publisher.ts';
import type { PartitionCounts } from './request.ts';
import { createSubscription } from './subscription.ts';

const PUBLISH_TIMEOUT_MS = 10_000;
const STALL_TIMEOUT_MS = 15_000;
const REQUEST_TIMEOUT_MS = 10_000;

/** The bus on Kafka. Nothing is connected before it is used, and everything recovers by itself when brokers come back. */
export function openKafkaBus(connection: KafkaConnection, given: OpenBusOptions): Bus {
  const options = given.onLog === undefined ? given : { ...given, onLog: limitLog(given.onLog, Date.now) };
  const publishTimeoutMs = options.publishTimeoutMs ?? PUBLISH_TIMEOUT_MS;
  const stallTimeoutMs = options.stallTimeoutMs ?? STALL_TIMEOUT_MS;
  const kafka = createKafka(connection, options, REQUEST_TIMEOUT_MS);
  // A produce request that a hung broker never answers must end about when its caller gives up.
  const producing = createKafka(connection, options, Math.min(REQUEST_TIMEOUT_MS, publishTimeoutMs));
  const admin = createTopicAdmin(kafka, options.replicationFactor ?? -1, options.retentionMs);

  async function ofExisting(topic: string, counted: Promise<number>): Promise<number> {
    const count = await counted;
    if (count === 0) throw new BusUnavailableError(`Kafka has no topic ${topic} yet`);
    return count;
  }
  const partitionCounts: PartitionCounts = {
    known: (topic) => ofExisting(topic, admin.knownPartitionCount(topic)),
    now: (topic) => ofExisting(topic, admin.countPartitions(topic)),
  };

  const publisher = createPublisher(producing, partitionCounts, publishTimeoutMs);
  const open = new Set<{ close(): Promise<void> }>();

  return {
    kind: 'kafka',
    ensureTopics: (topics) => admin.ensureTopics(topics),
    partitionCount: (topic) => partitionCounts.now(topic),
    publish: (topic, records) => publisher.publish(topic, records),
    subscribe(subscribeOptions: SubscribeOptions) {
      const subscription = createSubscription(kafka, admin, subscribeOptions, stallTimeoutMs, () =>
        open.delete(subscription),
      );
      open.add(subscription);
      return Promise.resolve(subscription);
    },
    followLatest(topic, onRecord) {
      const onFault = (error: unknown) =>
        options.onLog?.('warn', `Following ${topic}: ${error instanceof Error ? error.message : String(error)}`, {});
      const view = createLatestView(kafka, admin, topic, onRecord, stallTimeoutMs, onFault, () => open.delete(view));
      open.add(view);
      return Promise.resolve(view);
    },
    lag: (topic, group) => admin.lag(topic, group),
    async close() {
      await Promise.all([...open].map((part) => part.close()));
      await publisher.close();
      await admin.close();
    },
  };
}
