import type { Bus } from '@lanewatch/ingest/contract';
import { pause } from '../until.ts';
import type { Random } from '../../measuring/random.ts';
import { badRecord } from './bad-records.ts';

/** Puts records that nobody can decode on the bus, past ingest, for as long as it runs. */
export interface ForeignProducer {
  /** Values of the records that the bus has confirmed. */
  readonly confirmed: readonly string[];
  start(): void;
  /** Resolves when the record under way is confirmed. */
  finish(): Promise<void>;
}

const INTERVAL_MS = 400;

export function createForeignProducer(bus: Bus, topic: string, partitions: number, random: Random): ForeignProducer {
  const confirmed: string[] = [];
  let running: Promise<void> | null = null;
  let stopping = false;

  async function produce(): Promise<void> {
    for (let number = 0; !stopping; number++) {
      const record = badRecord(random, number, partitions);
      for (let done = false; !done;) {
        done = await bus.publish(topic, [record]).then(
          () => true,
          () => pause(INTERVAL_MS).then(() => false),
        );
      }
      confirmed.push(Buffer.from(record.value).toString());
      await pause(INTERVAL_MS);
    }
  }

  return {
    confirmed,
    start() {
      running ??= produce();
    },
    async finish() {
      stopping = true;
      await running;
    },
  };
}
