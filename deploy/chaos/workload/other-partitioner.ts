import type { Bus, OutgoingRecord } from '@lanewatch/ingest/contract';
import type { Random } from '../../measuring/random.ts';
import type { PlannedEvent } from './events.ts';

const EVENTS_PER_RECORD_MAX = 3;

/**
 * Makes the function that puts events on the bus as a producer does that knows nothing of where they belong: any partition, with a key or
 * without, several keys' events in one record. Resolves with whether the bus has confirmed them.
 */
export function createOtherPartitioner(
  bus: Bus,
  topic: string,
  partitions: number,
  random: Random,
): (events: PlannedEvent[]) => Promise<boolean> {
  return async (events) => {
    const records: OutgoingRecord[] = [];
    for (let start = 0; start < events.length;) {
      const own = events.slice(start, start + random.integer(1, EVENTS_PER_RECORD_MAX)).map(({ input }) => input);
      start += own.length;
      const text = random.chance(0.5) ? JSON.stringify(own) : own.map((input) => JSON.stringify(input)).join('\n');
      const key = random.chance(0.5) ? (own[0]!.credential?.fingerprint ?? null) : null;
      records.push({ key, value: Buffer.from(text), partition: random.integer(0, partitions - 1) });
    }
    return bus.publish(topic, records).then(
      () => true,
      () => false,
    );
  };
}
