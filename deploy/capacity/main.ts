import { parseArgs } from 'node:util';
import { ASSUMED, MEASURED, SCALES } from './figures.ts';
import { tableOf } from './table.ts';

/** `npm run -s lanewatch -- capacity [--events N --lanes N]` */
function readOptions(): { events?: string; lanes?: string } {
  try {
    return parseArgs({ options: { events: { type: 'string' }, lanes: { type: 'string' } } }).values;
  } catch (error) {
    console.error(`${(error as Error).message}. --help says what there is.`);
    process.exit(2);
  }
}

const values = readOptions();
const wanted = [Number(values.events ?? 0), Number(values.lanes ?? 10_000)] as const;
if (wanted.some((value) => !Number.isFinite(value) || value < 0)) {
  console.error('--events and --lanes are numbers: events a second, and keys in use.');
  process.exitCode = 2;
} else {
  const scales = values.events === undefined ? SCALES : [{ eventsPerSecond: wanted[0], lanes: wanted[1] }];
  const [titles = [], ...rows] = tableOf(scales, MEASURED, ASSUMED);
  const width = Math.max(...titles.map((title) => title.length));
  for (const [index, title] of titles.entries())
    console.log([title.padEnd(width), ...rows.map((row) => (row[index] ?? '').padStart(12))].join('  '));
}
