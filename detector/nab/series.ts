import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Window } from './scoring.ts';

/** One file of the benchmark. */
export interface Series {
  /** Its name as in the labels: `folder/file.csv`. */
  name: string;
  timesMs: number[];
  values: number[];
  windows: Window[];
}

const labelsSchema = z.record(z.string(), z.array(z.tuple([z.string(), z.string()])));

/**
 * Reads the benchmark as its repository is laid out: a folder of folders of CSV files, `data`, and `labels/combined_windows.json`.
 * @throws Error naming the file (and line) that is missing or reads otherwise
 */
export async function readSeries(folder: string): Promise<Series[]> {
  const labelsFile = join(folder, 'labels', 'combined_windows.json');
  const labels = labelsSchema.safeParse(JSON.parse(await readFile(labelsFile, 'utf8')));
  if (!labels.success) throw new Error(`${labelsFile}: ${z.prettifyError(labels.error)}`);
  const names = (await readdir(join(folder, 'data'), { recursive: true }))
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => name.endsWith('.csv'))
    .sort();
  const absent = Object.keys(labels.data).filter((name) => !names.includes(name));
  if (absent.length > 0) throw new Error(`${join(folder, 'data')} has no ${absent.join(', ')}, which has labels`);
  return Promise.all(
    names.map(async (name) => {
      const bounds = labels.data[name];
      if (bounds === undefined) throw new Error(`${labelsFile} says nothing of ${name}`);
      return seriesOf(name, await readFile(join(folder, 'data', name), 'utf8'), bounds);
    }),
  );
}

/**
 * @param text lines of `timestamp,value` below a head
 * @param bounds first and last instant of each window
 * @throws Error naming file and line
 */
export function seriesOf(name: string, text: string, bounds: readonly (readonly [string, string])[]): Series {
  const timesMs: number[] = [];
  const values: number[] = [];
  const lines = text.split(/\r?\n/);
  for (let index = 1; index < lines.length; index++) {
    const line = lines[index]!;
    if (line === '') continue;
    const [time = '', value = ''] = line.split(',');
    const amount = value.trim() === '' ? NaN : Number(value);
    if (!Number.isFinite(amount)) throw new Error(`${name}, line ${index + 1}: "${value}" is no number`);
    timesMs.push(instantOf(time, `${name}, line ${index + 1}`));
    values.push(amount);
  }
  const windows = bounds
    .map(([from, to]) => {
      const [fromMs, toMs] = [instantOf(from, `labels of ${name}`), instantOf(to, `labels of ${name}`)];
      return { first: timesMs.findIndex((at) => at >= fromMs), last: timesMs.findLastIndex((at) => at <= toMs) };
    })
    .sort((left, right) => left.first - right.first);
  if (windows.some(({ first, last }) => first === -1 || last < first))
    throw new Error(`labels of ${name}: a window holds no row of the file`);
  return { name, timesMs, values, windows };
}

/** Its instants name no zone; what counts is that all are of one. */
function instantOf(text: string, place: string): number {
  const ms = Date.parse(`${text.trim().replace(' ', 'T').slice(0, 23)}Z`);
  if (Number.isNaN(ms)) throw new Error(`${place}: "${text}" is no time such as 2014-04-01 00:00:00`);
  return ms;
}
