import { parseArgs } from 'node:util';
import { fromCaller } from '../embedded/caller.ts';
import { FAULTS, type FaultName } from './faults.ts';
import { UsageError, wholeNumber } from '../measuring/options.ts';
import { BUS_KINDS, type BusKind } from './system/broker.ts';

export interface Options {
  mutants: boolean;
  /** Faults per bus. */
  kills: number;
  buses: BusKind[];
  /** How many brokers Kafka has. */
  brokers: number;
  seed: number;
  faults: FaultName[];
  eventsPerSecond: number;
  jsonFile: string | null;
  /** Address of an installation's ingest, which is harmed from outside; null for a system of one's own. */
  against: string | null;
  /** Command that does the harm there; null for by hand. */
  hook: string | null;
}

const KILLS_DEFAULT = 60;
export const EVENTS_PER_SECOND = 300;

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
  if (values.hook !== undefined && values.against === undefined)
    throw new UsageError('--hook does harm to the installation that --against URL names.');
  if (strange.length > 0) throw new UsageError(`--faults knows ${FAULTS.join(', ')}, not "${strange.join(', ')}".`);
  return {
    mutants: values.mutants,
    kills: wholeNumber('--kills', values.kills, 1, 100_000) ?? KILLS_DEFAULT,
    buses,
    brokers: brokersOf(values.brokers),
    seed: wholeNumber('--seed', values.seed, 0, 0xffffffff) ?? nowMs % 1_000_000,
    faults: FAULTS.filter((fault) => names.includes(fault)),
    eventsPerSecond: wholeNumber('--rate', values.rate, 1, 100_000) ?? EVENTS_PER_SECOND,
    jsonFile: values.json === undefined ? null : fromCaller(values.json),
    against: values.against ?? null,
    hook: values.hook ?? null,
  };
}

/** Two would stand still with one of them down. */
function brokersOf(value: string | undefined): number {
  const brokers = wholeNumber('--brokers', value, 1, 5) ?? 1;
  if (brokers === 2) throw new UsageError('--brokers is 1, or at least 3: of two, none works alone.');
  return brokers;
}

function valuesOf(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        kills: { type: 'string' },
        bus: { type: 'string', default: 'both' },
        brokers: { type: 'string' },
        seed: { type: 'string' },
        faults: { type: 'string' },
        rate: { type: 'string' },
        json: { type: 'string' },
        against: { type: 'string' },
        hook: { type: 'string' },
        mutants: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
