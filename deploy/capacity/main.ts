import { parseArgs } from 'node:util';
import { ASSUMED, MEASURED, SCALES } from './figures.ts';
import { tableOf } from './table.ts';

/** `npm run -s lanewatch -- capacity [--events N --lanes N]` */
try {
  const { values } = parseArgs({ options: { events: { type: 'string' }, lanes: { type: 'string' } } });
  const lanes = amountOf('--lanes', 'keys in use', values.lanes ?? '10000');
  const scales =
    values.events === undefined
      ? SCALES
      : [{ eventsPerSecond: amountOf('--events', 'events a second', values.events), lanes }];
  const [titles = [], ...rows] = tableOf(scales, MEASURED, ASSUMED);
  const width = Math.max(...titles.map((title) => title.length));
  for (const [index, title] of titles.entries())
    console.log([title.padEnd(width), ...rows.map((row) => (row[index] ?? '').padStart(12))].join('  '));
} catch (error) {
  console.error(`${(error as Error).message.replace(/\.?$/, '.')} --help says what there is.`);
  process.exitCode = 2;
}

function amountOf(option: string, what: string, text: string): number {
  if (/^\d{1,12}$/.test(text) && Number(text) > 0) return Number(text);
  throw new Error(`${option} is a whole number of ${what}, 1 or more, not "${text}".`);
}
