import { setImmediate as nextTurn } from 'node:timers/promises';
import { BusUnavailableError } from '../../../contract/bus.ts';
import type { BusRecord, LatestView } from '../../../contract/bus.ts';
import type { EndWatcher } from './end-watcher.ts';
import type { LogStore, StoredTopic } from './log-store.ts';

const READ_BYTES_MAX = 1024 * 1024;

/**
 * Reads a compacted topic from its start and follows it. The log holds each key once (appender-worker.ts), so reading it is
 * reading the latest record of every key.
 */
export function createLatestView(
  store: LogStore,
  watcher: EndWatcher,
  topic: StoredTopic,
  onRecord: (record: BusRecord) => void,
  onFault: (error: unknown) => void,
  onClosed: () => void,
): LatestView {
  const positions = Array.from({ length: topic.partitions }, () => 0);
  const stops = new Set<() => void>();
  let closed = false;
  let waiting: (() => void)[] = [];

  const wakeAll = () => {
    const resolvers = waiting;
    waiting = [];
    for (const resolve of resolvers) resolve();
  };

  async function follow(partition: number): Promise<void> {
    while (!closed) {
      const batch = store.read(topic.id, partition, positions[partition]!, READ_BYTES_MAX);
      if (!batch) {
        // What follows may have been superseded since the end was seen, so the end counts as reached all the same.
        positions[partition] = Math.max(positions[partition]!, store.head(topic.id, partition).end);
        wakeAll();
        const { grown, stop } = watcher.beyond(topic.id, partition, positions[partition]);
        stops.add(stop);
        await grown;
        stops.delete(stop);
        continue;
      }
      for (const record of batch.records) {
        positions[partition] = record.offset + 1;
        try {
          onRecord(record);
        } catch (error) {
          onFault(error);
        }
      }
      wakeAll();
      await nextTurn();
    }
  }

  const following = Promise.all(positions.map((_, partition) => follow(partition)));
  return {
    async caughtUp() {
      store.refresh();
      const goal = positions.map((_, partition) => store.head(topic.id, partition).end);
      while (goal.some((end, partition) => positions[partition]! < end)) {
        if (closed) throw new BusUnavailableError('The view is closed');
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
    },
    async close() {
      closed = true;
      for (const stop of stops) stop();
      wakeAll();
      await following;
      onClosed();
    },
  };
}
