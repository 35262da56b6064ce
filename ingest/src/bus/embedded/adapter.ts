import { mkdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { BusUnavailableError } from '../../../contract/bus.ts';
import type { Bus } from '../../../contract/bus.ts';
import { RecordRefusedError } from '../errors.ts';
import type { OpenBusOptions } from '../options.ts';
import { placementIn } from '../partition.ts';
import { createAppender } from './appender.ts';
import { createEndWatcher } from './end-watcher.ts';
import { openGroups } from './groups.ts';
import { createLatestView } from './latest-view.ts';
import { MAP_SIZE_BYTES, openLogStore } from './log-store.ts';
import type { StoredTopic } from './log-store.ts';
import { createSubscription } from './subscription.ts';

const PUBLISH_TIMEOUT_MS = 10_000;
const RETENTION_MS = 7 * 24 * 3_600_000;
const RETENTION_BYTES = 8 * 1024 ** 3;
const RETENTION_INTERVAL_MS = 30_000;
/** The same limit as on Kafka, so that nothing works on one bus only. */
const RECORD_BYTES_MAX = 15 * 1024 * 1024;
/** How often a missing topic is looked for: whoever creates it starts at the same time. */
const TOPIC_POLL_MS = 50;
const TOPIC_DEADLINE_MS = 10_000;

/** The bus in an LMDB directory that any number of processes of this machine open at once. */
export function openEmbeddedBus(directory: string, options: OpenBusOptions): Promise<Bus> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const retentionBytes = options.retentionBytes ?? RETENTION_BYTES;
  const mapSizeBytes = Math.max(options.mapSizeBytes ?? MAP_SIZE_BYTES, retentionBytes * 3);
  const publishTimeoutMs = options.publishTimeoutMs ?? PUBLISH_TIMEOUT_MS;
  const store = openLogStore(directory, mapSizeBytes);
  const groups = openGroups(directory);
  const watcher = createEndWatcher(store);
  const appender = createAppender(
    {
      directory,
      mapSizeBytes,
      retentionMs: options.retentionMs ?? RETENTION_MS,
      retentionBytes,
      retentionIntervalMs: Math.min(RETENTION_INTERVAL_MS, options.retentionMs ?? RETENTION_MS),
    },
    publishTimeoutMs,
  );
  const open = new Set<{ close(): Promise<void> }>();
  let closed = false;

  function find(name: string): StoredTopic | undefined {
    if (closed) throw new BusUnavailableError('The bus is closed');
    const known = store.topic(name);
    if (known) return known;
    store.refresh();
    return store.topic(name);
  }

  function topicNow(name: string): StoredTopic {
    const topic = find(name);
    if (!topic) throw new BusUnavailableError(`The bus in ${directory} has no topic ${name} yet`);
    return topic;
  }

  async function topicSoon(name: string): Promise<StoredTopic> {
    const deadline = performance.now() + TOPIC_DEADLINE_MS;
    for (;;) {
      const topic = find(name);
      if (topic) return topic;
      if (performance.now() > deadline) return topicNow(name);
      await delay(TOPIC_POLL_MS);
    }
  }

  const bus: Bus = {
    kind: 'embedded',
    async ensureTopics(topics) {
      const missing = topics.filter(({ name }) => !find(name));
      if (missing.length > 0) await appender.ensureTopics(missing);
      store.refresh();
    },

    async partitionCount(name) {
      return topicNow(name).partitions;
    },
    async publish(name, records) {
      const topic = topicNow(name);
      if (records.length === 0) return;
      const partitionOf = placementIn(name, topic.partitions);
      const placed = records.map((record) => {
        const { key, value } = record;
        if (value.length > RECORD_BYTES_MAX)
          throw new RecordRefusedError(`A record of ${value.length} bytes is larger than ${RECORD_BYTES_MAX}`);
        if (key === null && topic.compacted)
          throw new RecordRefusedError(`Topic ${name} is compacted and takes no record without a key`);
        return { partition: partitionOf(record), record };
      });
      await appender.append(topic, placed);
      watcher.poke();
    },
    async subscribe(subscribeOptions) {
      const topic = await topicSoon(subscribeOptions.topic);
      const { group, sessionTimeoutMs = 30_000 } = subscribeOptions;
      const subscription = createSubscription(subscribeOptions, {
        store,
        watcher,
        topic,
        membership: groups.membership(topic.name, group, topic.partitions, sessionTimeoutMs),
        commit: (ofGroup, nextOffsets) =>
          appender.commit({ topic: topic.name, group: ofGroup, offsets: [...nextOffsets] }),
        onClosed: () => open.delete(subscription),
      });
      open.add(subscription);
      return subscription;
    },
    async followLatest(name, onRecord) {
      const topic = await topicSoon(name);
      const onFault = (error: unknown) =>
        options.onLog?.('warn', `Following ${name}: ${error instanceof Error ? error.message : String(error)}`, {});
      const view = createLatestView(store, watcher, topic, onRecord, onFault, () => open.delete(view));
      open.add(view);
      return view;
    },

    async lag(name, group) {
      const topic = topicNow(name);
      store.refresh();
      return Array.from({ length: topic.partitions }, (_, partition) => {
        const { first, end } = store.head(topic.id, partition);
        // Where nothing is committed yet, everything that is there is still to be read.
        const committedOffset = Math.max(store.committedOffset(topic.id, group, partition)?.offset ?? first, first);
        return { partition, committedOffset, endOffset: end, lag: Math.max(0, end - committedOffset) };
      });
    },
    async close() {
      if (closed) return;
      await Promise.all([...open].map((part) => part.close()));
      closed = true;
      watcher.close();
      await appender.close();
      await groups.close();
      await store.close();
    },
  };
  return Promise.resolve(bus);
}
