import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import { makeTempDir, removeDir, uniqueName } from '../../../../deploy/testing/helpers.ts';
import type { Bus } from '../../../contract/bus.ts';
import { openBus } from '../open.ts';
import { type Child, record, type Recorder, startChild } from './harness.ts';

/** How long members may take until they have partitions and records. */
export const MEMBER_DEADLINE_MS = 30_000;

/** A bus as a test of the contract sees it. `bus` and `url` are there once the test runs. */
export interface BusUnderTest {
  readonly bus: Bus;
  readonly url: string;
  readonly sessionTimeoutMs: number;
  newTopic(partitions: number, compacted?: boolean): Promise<string>;
  /** A member in this process; it leaves when the test ends. */
  join(options: Parameters<typeof record>[1], bus?: Bus): Promise<Recorder>;
  /** A process of its own; it is killed when the test ends. */
  child(role: 'publisher' | 'member', topic: string, group?: string): Child;
}

/**
 * Runs tests of what every bus promises (the port in `ingest/contract/bus.ts`, sentence by sentence) on both adapters.
 * @param kafkaBrokers what `inject` gives; asked for by each test file, because a run of some files starts the parts that these name
 */
export function describeEachBus(kafkaBrokers: string | null, tests: (under: BusUnderTest) => void): void {
  describe.each(['embedded', 'kafka'] as const)('bus: %s', (kind) => {
    // A cluster that is not ours may refuse sessions shorter than six seconds, the brokers' default.
    const sessionTimeoutMs = kind === 'kafka' ? 6_000 : 1_500;

    describe.skipIf(kind === 'kafka' && kafkaBrokers === null)('contract', () => {
      let directory: string;
      let url: string;
      let bus: Bus;
      const recorders: Recorder[] = [];
      const children: Child[] = [];

      beforeAll(async () => {
        directory = await makeTempDir();
        url = kind === 'kafka' ? `kafka://${kafkaBrokers}` : `lmdb:${directory}`;
        bus = await openBus(url);
      });

      afterAll(async () => {
        await bus.close();
        await removeDir(directory);
      });

      afterEach(async () => {
        await Promise.all(recorders.splice(0).map(({ subscription }) => subscription.close()));
        await Promise.all(children.splice(0).map((child) => child.kill()));
      });

      tests({
        get bus() {
          return bus;
        },
        get url() {
          return url;
        },
        sessionTimeoutMs,
        async newTopic(partitions, compacted = false) {
          const name = uniqueName('contract');
          await bus.ensureTopics([{ name, partitions, compacted }]);
          return name;
        },
        async join(options, on = bus) {
          const recorder = await record(on, { sessionTimeoutMs, ...options });
          recorders.push(recorder);
          return recorder;
        },
        child(role, topic, group = '') {
          const started = startChild({ role, url, topic, group, sessionTimeoutMs });
          children.push(started);
          return started;
        },
      });
    });
  });
}
