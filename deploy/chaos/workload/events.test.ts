import { laneOf, partitionForKey, usageEventInputSchema } from '@lanewatch/ingest/contract';
import { expect, test } from 'vitest';
import { createRandom } from '../../measuring/random.ts';
import { createEventSource } from './events.ts';
import { createRegistry } from './lanes.ts';

const START = Date.parse('2026-11-20T12:00:00Z');
const HOUR = 3_600_000;

function eventsOf(seed: number, count: number) {
  const random = createRandom(seed);
  const registry = createRegistry(random.fork(), START);
  const source = createEventSource({ random, registry, name: 'test', startMs: START, partitions: 4 });
  return { source, events: Array.from({ length: count }, () => source.next()) };
}

test('the same seed makes the same events, another one others', () => {
  expect(eventsOf(1, 200).events).toEqual(eventsOf(1, 200).events);
  expect(eventsOf(1, 200).events).not.toEqual(eventsOf(2, 200).events);
});

test('events are valid, unlike each other, and within a few hours, so that findings do not depend on their order', () => {
  const { events } = eventsOf(3, 2_000);
  for (const { input } of events) {
    expect(usageEventInputSchema.safeParse(input).error).toBeUndefined();
    expect(START - Date.parse(input.time)).toBeLessThanOrEqual(3 * HOUR);
  }
  expect(new Set(events.map(({ key }) => key)).size).toBe(events.length);
});

test('some requests have two reports, alike in all but who reports, and the others have none', () => {
  const random = createRandom(6);
  const registry = createRegistry(random.fork(), START);
  const source = createEventSource({ random, registry, name: 'test', startMs: START, partitions: 4, hasTwins: true });
  const events = Array.from({ length: 2_000 }, () => source.next());
  const twice = Map.groupBy(
    events.filter(({ input }) => input.request_id !== undefined),
    ({ input }) => input.request_id,
  );
  expect(twice.size).toBeGreaterThan(20);
  for (const [agent, proxy] of [...twice.values()].slice(0, -1)) {
    expect([agent!.input.reporter, proxy!.input.reporter]).toEqual(['agent', 'proxy']);
    expect(proxy!.input).toEqual({ ...agent!.input, id: proxy!.input.id, reporter: 'proxy' });
  }
});

test('every standing comes up', () => {
  const standings = new Set(eventsOf(4, 2_000).events.map(({ expected }) => (JSON.parse(expected) as string[])[6]));
  expect([...standings].sort()).toEqual(['ambiguous', 'expired', 'known', 'revoked', 'unattributed', 'unknown']);
});

test('there is one marker for each partition, and it goes there', () => {
  const markers = eventsOf(5, 0).source.markers();
  expect(markers.map(({ input }) => partitionForKey(input.session!, 4))).toEqual([0, 1, 2, 3]);
  for (const { input } of markers) expect(laneOf(input.credential?.fingerprint ?? '', '', '')).toBe('unattributed');
});
