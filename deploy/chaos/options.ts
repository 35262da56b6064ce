import { parseArgs } from 'node:util';
import { FAULTS, FAULT_TITLES, type FaultName } from './faults.ts';
import { UsageError, wholeNumber } from '../measuring/options.ts';
import { BUS_KINDS, type BusKind } from './system/broker.ts';

export interface Options {
  help: boolean;
  mutants: boolean;
  /** Faults per bus. */
  kills: number;
  buses: BusKind[];
  seed: number;
  faults: FaultName[];
  eventsPerSecond: number;
  jsonFile: string | null;
}

const KILLS_DEFAULT = 60;
export const EVENTS_PER_SECOND = 300;

export const HELP = `npm run chaos [-- options]

Runs ingest, two detectors, the ClickHouse engine and the bus as processes of their own, posts events like careful collectors,
does harm in turn, and then compares ledger, roll-ups, findings and dead letters with what was sent and with an undisturbed run
over the same bus. Ends with 1 when something does not hold; data and logs of that run stay where the last lines say.

  --kills N         faults per bus                               (default ${KILLS_DEFAULT})
  --bus NAME        kafka, embedded or both                      (default both)
  --seed N          repeats the choices of an earlier run        (default: the time)
  --faults a,b      only these                                   (default all)
  --rate N          events per second                            (default ${EVENTS_PER_SECOND})
  --json FILE       write the results to FILE, too
  --mutants         run three detectors that each break one guarantee; ends with 1 unless every one is caught
  --help            this text

Faults:
${FAULTS.map((fault) => `  ${fault.padEnd(18)}${FAULT_TITLES[fault]}`).join('\n')}
`;

/**
 * Reads the command line.
 * @param nowMs what the seed is made of when none is given
 * @throws UsageError
 */
export function parseOptions(args: string[], nowMs: number): Options {
  const values = valuesOf(args);
  const buses = values.bus === 'both' ? [...BUS_KINDS] : BUS_KINDS.filter((kind) => kind === values.bus);
  if (buses.length === 0) throw new UsageError(`--bus is kafka, embedded or both, not "${values.bus}".`);
  const names = values.faults?.split(',').map((name) => name.trim()) ?? [...FAULTS];
  const strange = names.filter((name) => !(FAULTS as readonly string[]).includes(name));
  if (strange.length > 0) throw new UsageError(`--faults knows ${FAULTS.join(', ')}, not "${strange.join(', ')}".`);
  return {
    help: values.help,
    mutants: values.mutants,
    kills: wholeNumber('--kills', values.kills, 1, 100_000) ?? KILLS_DEFAULT,
    buses,
    seed: wholeNumber('--seed', values.seed, 0, 0xffffffff) ?? nowMs % 1_000_000,
    faults: FAULTS.filter((fault) => names.includes(fault)),
    eventsPerSecond: wholeNumber('--rate', values.rate, 1, 100_000) ?? EVENTS_PER_SECOND,
    jsonFile: values.json ?? null,
  };
}

function valuesOf(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        kills: { type: 'string' },
        bus: { type: 'string', default: 'both' },
        seed: { type: 'string' },
        faults: { type: 'string' },
        rate: { type: 'string' },
        json: { type: 'string' },
        mutants: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
