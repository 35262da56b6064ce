import { randomBytes } from 'node:crypto';
import type { Bus, BusRecord } from '@lanewatch/ingest/contract';
import { until } from '../until.ts';

const READ_DEADLINE_MS = 120_000;

/** All records of a topic up to its present end, by partition, lowest offset first. */
export async function readTopic(bus: Bus, topic: string): Promise<Map<number, BusRecord[]>> {
  const group = `chaos-reader-${randomBytes(6).toString('hex')}`;
  const ends = new Map((await bus.lag(topic, group)).map(({ partition, endOffset }) => [partition, endOffset]));
  const records = new Map<number, BusRecord[]>([...ends.keys()].map((partition) => [partition, []]));
  const faults: unknown[] = [];
  const subscription = await bus.subscribe({
    topic,
    group,
    onAssignment() {
      for (const own of records.values()) own.length = 0;
      return Promise.resolve(new Map());
    },
    onBatch(batch) {
      const own = records.get(batch.partition);
      // The value is only valid until this handler is done.
      for (const record of batch.records) own?.push({ ...record, value: Buffer.from(record.value) });
      return Promise.resolve();
    },
    onFault: (error) => faults.push(error),
  });
  try {
    const what = () => `the end of ${topic} (faults: ${faults.map(String).join('; ') || 'none'})`;
    await until(what, READ_DEADLINE_MS, () =>
      Promise.resolve(
        [...ends].every(([partition, end]) => end === 0 || (records.get(partition)?.at(-1)?.offset ?? -1) >= end - 1),
      ),
    );
  } finally {
    await subscription.close();
  }
  return records;
}
