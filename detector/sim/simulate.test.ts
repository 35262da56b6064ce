import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readItems, readLabels, writeRun } from './files.ts';
import { INCIDENT_KINDS } from './label.ts';
import { simulate } from './simulate.ts';
import { createWatcher, type Watched } from './watch.ts';
import type { SimItem } from './traffic.ts';

const SMALL = { seed: 3, days: 5, learnDays: 1, people: 100 };
const simulation = simulate(SMALL);
const items = [...simulation.items()];

async function watched(all: Iterable<SimItem>): Promise<Watched> {
  const watcher = createWatcher(simulation.fromMs);
  for (const item of all) await watcher.take(item);
  return watcher.finish();
}

test('a seed is the same organisation, traffic and incidents every time, and another seed another', () => {
  const again = simulate(SMALL);
  expect([...again.items()]).toEqual(items);
  expect(again.labels).toEqual(simulation.labels);
  expect(simulate({ ...SMALL, seed: 4 }).labels).not.toEqual(simulation.labels);
});

test('items come in the order of receipt, no event before it happened, none twice', () => {
  const events = items.flatMap((item) => (item.kind === 'event' ? [item.event] : []));
  expect(items.every((item, index) => index === 0 || items[index - 1]!.atMs <= item.atMs)).toBe(true);
  expect(events.filter(({ time, received_at }) => received_at <= time)).toEqual([]);
  expect(new Set(events.map(({ source, id }) => `${source} ${id}`)).size).toBe(events.length);
});

test('every kind of incident is there, with lanes or collectors, on lanes of its own', () => {
  expect(new Set(simulation.labels.map(({ kind }) => kind))).toEqual(new Set(INCIDENT_KINDS));
  const lanes = simulation.labels.flatMap((label) => label.lanes);
  expect(new Set(lanes).size).toBe(lanes.length);
  expect(simulation.labels.filter((label) => label.lanes.length + label.collectors.length === 0)).toEqual([]);
});

test('written to files and read back it has the same findings', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'lanewatch-sim-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  await writeRun(directory, items, simulation.labels);
  expect(await readLabels(join(directory, 'labels.ndjson'))).toEqual(simulation.labels);
  const read: SimItem[] = [];
  for await (const item of readItems(join(directory, 'events.ndjson'))) read.push(item);
  expect(await watched(read)).toEqual(await watched(items));
});
