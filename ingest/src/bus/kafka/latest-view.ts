import { randomUUID } from 'node:crypto';
import type { BusRecord, LatestView } from '../../../contract/bus.ts';
import { BusUnavailableError } from '../../../contract/bus.ts';
import type { TopicAdmin } from './admin.ts';
import type { Kafka } from './client.ts';
import { createPauses } from './pauses.ts';
import { createSubscription } from './subscription.ts';

const RETRY_MS = 500;

/**
 * Reads a compacted topic from its start and follows it. kafkajs reads only as a member of a group, so each view is alone in a
 * group of its own, which commits nothing and is deleted when the view is closed (a broker drops it by itself when it is not).
 */
export function createLatestView(
  kafka: Kafka,
  admin: TopicAdmin,
  topic: string,
  onRecord: (record: BusRecord) => void,
  stallTimeoutMs: number,
  onFault: (error: unknown) => void,
  onClosed: () => void,
): LatestView {
  const group = `lanewatch-latest-${randomUUID()}`;
  /** Next offset per partition whose records before it were all handed over. Survives a rejoin, so nothing is handed over twice. */
  const positions = new Map<number, number>();
  let assigned = false;
  let closed = false;
  const pauses = createPauses();

  const subscription = createSubscription(
    kafka,
    admin,
    {
      topic,
      group,
      commitsNothing: true,
      onAssignment: () => {
        assigned = true;
        return Promise.resolve(new Map(positions));
      },
      onBatch: (batch) => {
        for (const record of batch.records) {
          // Advanced first: a record whose reader throws must not come again for ever.
          positions.set(batch.partition, record.offset + 1);
          try {
            onRecord(record);
          } catch (error) {
            onFault(error);
          }
        }
        pauses.end();
        return Promise.resolve();
      },
      onFault,
    },
    stallTimeoutMs,
    () => undefined,
  );

  function reached(partition: number, first: number, end: number): boolean {
    if (end <= first) return true;
    // The lane is ahead of the last record where the rest of the log is only markers of transactions.
    const position = Math.max(positions.get(partition) ?? 0, subscription.positions().get(partition) ?? 0);
    return position >= end;
  }

  return {
    async caughtUp() {
      let goal = null;
      while (!goal) {
        if (closed) throw new BusUnavailableError('The view is closed');
        goal = await admin.bounds(topic).catch(onFault);
        if (!goal) await pauses.pause(RETRY_MS);
      }
      while (!assigned || [...goal].some(([partition, { first, end }]) => !reached(partition, first, end))) {
        if (closed) throw new BusUnavailableError('The view is closed');
        await pauses.pause(RETRY_MS);
      }
    },
    async close() {
      closed = true;
      pauses.end();
      await subscription.close();
      await admin.deleteGroup(group).catch(() => undefined);
      onClosed();
    },
  };
}
