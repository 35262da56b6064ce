import path from 'node:path';
import { parseArgs } from 'node:util';
import { UsageError, wholeNumber } from '../measuring/options.ts';

export interface Options {
  help: boolean;
  list: boolean;
  /** Ids of the benches to run, in the order of the table. */
  ids: string[];
  runs: number;
  events: number;
  jsonFile: string;
}

const RUNS_DEFAULT = 5;
const RUNS_MAX = 1_000;
const EVENTS_DEFAULT = 1_000_000;
const EVENTS_MAX = 1_000_000_000;

export const HELP = `npm run bench [-- options]

Measures against named peers or limits, each pair interleaved in one run, and prints medians as one table.

  --only IDS      comma-separated ids, such as P1,P2    (default: all)
  --runs N        interleaved runs of each side         (default ${RUNS_DEFAULT})
  --events N      events per run of the path            (default ${EVENTS_DEFAULT})
  --json FILE     write every single figure as JSON     (default deploy/bench/results.json)
  --list          list the benches
  --help          this text
`;

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
    help: values.help,
    list: values.list,
    ids: known.filter((id) => only.includes(id)),
    runs: wholeNumber('--runs', values.runs, 1, RUNS_MAX) ?? RUNS_DEFAULT,
    events: wholeNumber('--events', values.events, 1, EVENTS_MAX) ?? EVENTS_DEFAULT,
    jsonFile: values.json ?? path.join(import.meta.dirname, 'results.json'),
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
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
