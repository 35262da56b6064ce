import { describe, expect, inject, test } from 'vitest';
import { FAULTS, type FaultName } from './faults.ts';
import { MUTANTS, runMutant } from './mutants/mutants.ts';
import { EVENTS_PER_SECOND } from './options.ts';
import { planRuns } from './plan.ts';
import { run } from './run.ts';
import { BUS_KINDS } from './system/broker.ts';

const TIMES_EACH = 4;
const RUN_TIMEOUT_MS = 600_000;
const MUTANT_TIMEOUT_MS = 300_000;

// The run's own broker is started beside the shared one, which other tests need alive; where there is none, none can be had here.
const available = { kafka: inject('kafkaBrokers') !== null, embedded: true };

// Side by side: most of a run is waiting for sessions to end.
describe.concurrent.each(BUS_KINDS)('on the %s bus', (bus) => {
  test.skipIf(!available[bus])(
    `what ingest acknowledged is in the ledger once, and findings and roll-ups agree with it, after ${TIMES_EACH} faults of each kind`,
    async () => {
      const seed = Date.now() % 1_000_000;
      const [planned] = planRuns(FAULTS, FAULTS.length * TIMES_EACH, seed);
      const result = await run({ ...planned!, bus, eventsPerSecond: EVENTS_PER_SECOND, onProgress: console.log });

      const broken = result.checks.filter(({ ok }) => !ok);
      expect(broken, `seed ${seed}; data and logs: ${result.evidence ?? 'removed'}`).toEqual([]);
      // Nothing above says anything unless the faults took place and met work under way.
      const times = (kind: FaultName) => result.faults.filter(({ fault }) => fault === kind).length;
      expect(FAULTS.map(times)).toEqual(FAULTS.map(() => TIMES_EACH));
      for (const fault of ['drop-answer', 'cut-request', 'delay-answer'])
        expect(result.counts[`inserts met by ${fault}`], fault).toBeGreaterThanOrEqual(TIMES_EACH);
      expect(result.counts['inserts refused to a former owner']).toBeGreaterThan(0);
      expect(result.counts['posts without an answer']).toBeGreaterThan(0);
      expect(result.counts['events sent again']).toBeGreaterThan(0);
      expect(result.counts['events put on any partition']).toBeGreaterThan(0);
    },
    RUN_TIMEOUT_MS,
  );
});

describe('the suite can fail', () => {
  test.each(MUTANTS)(
    'it catches a detector with its $title',
    async (mutant) => {
      const seed = Date.now() % 1_000_000;
      const { caught, broken } = await runMutant(mutant, {
        bus: 'embedded',
        seed,
        eventsPerSecond: EVENTS_PER_SECOND,
        onProgress: console.log,
      });
      expect(caught, `seed ${seed}; broken: ${broken.map(({ name }) => name).join('; ') || 'nothing'}`).toBe(true);
    },
    MUTANT_TIMEOUT_MS,
  );
});
