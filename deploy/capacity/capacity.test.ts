import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ASSUMED, MEASURED, SCALES } from './figures.ts';
import { needOf } from './model.ts';
import { tableOf } from './table.ts';

const read = (path: string) => readFileSync(join(import.meta.dirname, path), 'utf8');
const cellsOf = (line: string) =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());

test('the table of the page is what the model gives', () => {
  const lines = read('README.md').split('\n');
  const begin = lines.findIndex((line) => line.startsWith('| events/s'));
  const table = [lines[begin]!, ...lines.slice(begin + 2, begin + 2 + SCALES.length)].map(cellsOf);
  expect(table).toEqual(tableOf(SCALES, MEASURED, ASSUMED));
});

test('every measured figure stands in the results of the benches', () => {
  const results = read('../bench/RESULTS.md');
  const line = (id: string) => results.split('\n').find((text) => text.startsWith(`| ${id} `)) ?? '';
  const has = (text: string, figure: number, unit: string) =>
    expect(text).toContain(`${figure.toLocaleString('en')} ${unit}`);
  has(line('P4'), MEASURED.ingestEventsPerCore, 'events/s');
  has(line('P1p'), MEASURED.detectorEventsPerCore, 'events/s');
  has(results, MEASURED.engineRowsPerCore, 'rows/s');
  has(line('D6'), MEASURED.bytesPerLane, 'bytes');
  const [, megabytes, gigabytes] =
    /a table of (\d+) MB of roll-up and ([\d.]+) GB of rows/.exec(read('../../detector/src/ledger/README.md')) ?? [];
  expect(Math.round((Number(megabytes) * 1e6 + Number(gigabytes) * 1e9) / 100e6)).toBe(MEASURED.ledgerBytesPerRow);
  expect(line('P3')).toContain(`${MEASURED.busBytesPerEvent}-byte events`);
});

test('ten times the events never need less of anything', () => {
  for (const rate of [10, 1_000, 50_000, 400_000]) {
    const [less, more] = [needOf(rate, 1_000, MEASURED, ASSUMED), needOf(rate * 10, 1_000, MEASURED, ASSUMED)];
    for (const key of Object.keys(less) as (keyof typeof less)[]) expect(more[key]).toBeGreaterThanOrEqual(less[key]);
  }
});
