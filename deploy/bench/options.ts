import { parseArgs } from 'node:util';
import { fromCaller } from '../embedded/caller.ts';
import { UsageError, wholeNumber } from '../measuring/options.ts';

export interface Options {
  list: boolean;
  /** Ids of the benches to run, in the order of the table. */
  ids: string[];
  runs: number;
  events: number;
  /** Homes of installations with a ledger, made by `npm run load -- --rows`. */
  ledgers: string[];
  /** Where every single figure is written, or null. */
  jsonFile: string | null;
}

const RUNS_DEFAULT = 5;
const RUNS_MAX = 1_000;
const EVENTS_DEFAULT = 1_000_000;
const EVENTS_MAX = 1_000_000_000;

/**
 * Reads the command line.
 * @param known ids of all benches
 * @throws UsageError
 */
export function parseOptions(args: string[], known: string[]): Options {
  const values = valuesOf(args);
  const only = values.only?.split(',').map((id) => id.trim()) ?? known;
  const strange = only.filter((id) => !known.includes(id));
  if (strange.length > 0) throw new UsageError(`--only knows ${known.join(', ')}, not "${strange.join(', ')}".`);
  return {
    list: values.list,
    ids: known.filter((id) => only.includes(id)),
    runs: wholeNumber('--runs', values.runs, 1, RUNS_MAX) ?? RUNS_DEFAULT,
    events: wholeNumber('--events', values.events, 1, EVENTS_MAX) ?? EVENTS_DEFAULT,
    ledgers: values.ledger?.map((home) => fromCaller(home)) ?? [],
    jsonFile: values.json === undefined ? null : fromCaller(values.json),
  };
}

function valuesOf(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        only: { type: 'string' },
        runs: { type: 'string' },
        events: { type: 'string' },
        json: { type: 'string' },
        ledger: { type: 'string', multiple: true },
        list: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
