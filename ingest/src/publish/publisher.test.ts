import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  encodeUsageRow,
  type OutgoingRecord,
  ROW_VERSION_HEADER,
  USAGE_ROW_VERSION,
  type UsageEvent,
} from '../../contract/index.ts';
import { partitionForKey } from '../bus/partition.ts';
import { normaliseUsageEvent } from '../normalise/normalise.ts';
import { cell, createMemoryBus, type MemoryBus } from '../testing/memory-bus.ts';
import { frameOf } from './frames.ts';
import { createPublisher, type Publisher, type PublisherOptions } from './publisher.ts';
import { CHARS_PER_RECORD_MAX, ROWS_PER_RECORD_MAX } from './rows.ts';
import { openSpool, type Spool, type SpoolOptions } from './spool.ts';

const TOPIC = 'usage';
const PARTITIONS = 12;

let directory: string;
let bus: MemoryBus;
let opened: Publisher[];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lanewatch-publisher-'));
  bus = createMemoryBus();
  opened = [];
});
afterEach(async () => {
  for (const publisher of opened) await publisher.close();
  await rm(directory, { recursive: true, force: true });
});

let count = 0;
function event(fields: Record<string, unknown> = {}): UsageEvent {
  const input = { source: 's', id: `e${count++}`, time: '2026-11-20T12:00:00Z', ...fields };
  const result = normaliseUsageEvent(input, { receivedAt: 0, collector: 'c' });
  if (!result.ok) throw new Error(JSON.stringify(result.errors));
  return result.event;
}

function publisherOn(spool: Spool | null, more: Partial<PublisherOptions> = {}): Publisher {
  const publisher = createPublisher({
    bus,
    topic: TOPIC,
    partitionOf: (key) => partitionForKey(key, PARTITIONS),
    publishTimeoutMs: 1_000,
    lingerMs: 1,
    spool,
    onFault: () => undefined,
    ...more,
  });
  opened.push(publisher);
  return publisher;
}

const openTestSpool = (more: Partial<SpoolOptions> = {}) => openSpool({ directory, bytesMax: 10_000_000, ...more });
const spooled = async () => (await readdir(directory)).filter((name) => name !== 'lock');
const idsOnBus = () => bus.rows(TOPIC).map((row) => cell(row, 'id'));

describe('packing', () => {
  test('every event goes to the partition of its key, in order, with the row version in a header', async () => {
    const events = Array.from({ length: 500 }, (_, index) =>
      event({ session: `s${index % 7}`, credential: index % 2 ? {} : { hint: `h...${index % 5}` } }),
    );
    await publisherOn(null).publish(events);
    const seen = new Map<number, unknown[]>();
    for (const { record } of bus.published) {
      expect(record.headers).toEqual({ [ROW_VERSION_HEADER]: USAGE_ROW_VERSION });
      for (const line of Buffer.from(record.value).toString().split('\n')) {
        const ids = seen.get(record.partition!) ?? [];
        ids.push((JSON.parse(line) as unknown[])[1]);
        seen.set(record.partition!, ids);
      }
    }
    const { partitionKeyOf } = await import('../../contract/index.ts');
    const expected = new Map<number, unknown[]>();
    for (const one of events) {
      const partition = partitionForKey(partitionKeyOf(one), PARTITIONS);
      expected.set(partition, [...(expected.get(partition) ?? []), one.id]);
    }
    expect(seen).toEqual(expected);
  });

  test('a record holds at most 64 events and about 32 KB, and has a key only when all its events share it', async () => {
    const big = 'x'.repeat(250);
    const same = { credential: { fingerprint: 'a'.repeat(64) } };
    await publisherOn(null).publish([
      ...Array.from({ length: 200 }, () => event(same)),
      ...Array.from({ length: 200 }, () => event({ ...same, repo: big, org: big, user: big, host: big, session: big })),
    ]);
    for (const { record } of bus.published) {
      const rows = Buffer.from(record.value).toString().split('\n');
      expect(rows.length).toBeLessThanOrEqual(ROWS_PER_RECORD_MAX);
      expect(record.value.length).toBeLessThanOrEqual(CHARS_PER_RECORD_MAX + ROWS_PER_RECORD_MAX);
      expect(record.key).toBe('a'.repeat(64));
    }
    expect(idsOnBus()).toHaveLength(400);
    bus.published.length = 0;
    const single = publisherOn(null, { partitionOf: () => 0 });
    await single.publish([event({ session: 'one' }), event({ session: 'two' })]);
    expect(bus.published.map(({ record }) => record.key)).toEqual([null]);
  });

  test('requests at the same time share records; each is answered when its own events are durable', async () => {
    const calls: OutgoingRecord[][] = [];
    const publisher = publisherOn(null, {
      partitionOf: () => 0,
      bus: {
        publish: (topic, records) => {
          calls.push(records);
          return bus.publish(topic, records);
        },
      },
    });
    await Promise.all(Array.from({ length: 100 }, () => publisher.publish([event()])));
    expect(idsOnBus()).toHaveLength(100);
    expect(calls.length).toBeLessThan(10);
  });

  test('no request to the bus holds more of a partition than Kafka takes', async () => {
    const sizes: number[] = [];
    const wide = '漢'.repeat(250);
    const publisher = publisherOn(null, {
      partitionOf: () => 0,
      bus: {
        publish: (_, records) => {
          sizes.push(records.reduce((sum, record) => sum + record.value.length, 0));
          return Promise.resolve();
        },
      },
    });
    await publisher.publish(
      Array.from({ length: 2_000 }, () => event({ org: wide, user: wide, session: wide, repo: wide })),
    );
    expect(sizes.length).toBeGreaterThan(3);
    expect(Math.max(...sizes)).toBeLessThan(1_000_000);
  });
});

describe('while the bus is down', () => {
  test('without a spool the sender is told to come again', async () => {
    bus.down = true;
    const publishing = publisherOn(null).publish([event()]);
    await expect(publishing).rejects.toMatchObject({ code: 'unavailable', headers: { 'retry-after': '1' } });
  });

  test('events wait in the spool, later ones behind them, and all arrive in order', async () => {
    const publisher = publisherOn(await openTestSpool(), { partitionOf: () => 0 });
    const ids: string[] = [];
    const ship = async (howMany: number) => {
      const events = Array.from({ length: howMany }, () => event());
      ids.push(...events.map(({ id }) => id));
      await publisher.publish(events);
    };
    await ship(3);
    bus.down = true;
    for (let batch = 0; batch < 20; batch++) await ship(7);
    expect(idsOnBus()).toHaveLength(3);
    bus.down = false;
    for (let batch = 0; batch < 20; batch++) await ship(7);
    await vi.waitFor(() => expect(idsOnBus()).toEqual(ids), { timeout: 10_000 });
    // What is on the bus is taken off the disk a moment later; from then on events go straight to the bus.
    await vi.waitFor(async () => expect(await spooled()).toEqual([]), { timeout: 10_000 });
    await ship(1);
    expect(idsOnBus()).toEqual(ids);
    expect(await spooled()).toEqual([]);
  });

  test('a bus that never answers counts as down', async () => {
    const publisher = publisherOn(await openTestSpool(), {
      publishTimeoutMs: -950,
      bus: { publish: () => new Promise<void>(() => undefined) },
    });
    await publisher.publish([event()]);
    expect(await spooled()).toHaveLength(1);
  });

  test('a full spool refuses with 503, keeps what it has, and takes again after it was emptied', async () => {
    const publisher = publisherOn(await openTestSpool({ bytesMax: 2_000 }), { partitionOf: () => 0 });
    bus.down = true;
    const kept: string[] = [];
    await expect(
      (async () => {
        for (let index = 0; index < 100; index++) {
          const one = event();
          await publisher.publish([one]);
          kept.push(one.id);
        }
      })(),
    ).rejects.toMatchObject({ code: 'unavailable' });
    expect(kept.length).toBeGreaterThan(2);
    bus.down = false;
    await vi.waitFor(() => expect(idsOnBus()).toEqual(kept), { timeout: 10_000 });
    await publisher.publish([event()]);
    expect(idsOnBus()).toHaveLength(kept.length + 1);
  });

  test('of requests that share a batch those that fit are stored, the others are told to come again', async () => {
    const publisher = publisherOn(await openTestSpool({ bytesMax: 300_000 }), { partitionOf: () => 0, lingerMs: 5 });
    bus.down = true;
    const wide = { repo: 'x'.repeat(500), user: 'y'.repeat(250), host: 'z'.repeat(250) };
    const requests = Array.from({ length: 10 }, () => Array.from({ length: 64 }, () => event(wide)));
    const answers = await Promise.allSettled(requests.map((events) => publisher.publish(events)));
    const stored = requests.filter((_, index) => answers[index]!.status === 'fulfilled');
    expect(stored.length).toBeGreaterThan(0);
    expect(stored.length).toBeLessThan(requests.length);
    bus.down = false;
    await vi.waitFor(() => expect(idsOnBus()).toEqual(expect.arrayContaining(stored.flat().map(({ id }) => id))), {
      timeout: 10_000,
    });
  });

  test('what a process of another row version spooled is published in that version', async () => {
    await writeFile(join(directory, '000000000001.rows'), frameOf([encodeUsageRow(event())], '0'));
    publisherOn(await openTestSpool());
    await vi.waitFor(() => expect(bus.published).toHaveLength(1), { timeout: 10_000 });
    expect(bus.published[0]!.record.headers).toEqual({ [ROW_VERSION_HEADER]: '0' });
  });

  test('what an earlier process spooled is published at the next start, to the partitions of now', async () => {
    const first = publisherOn(await openTestSpool());
    bus.down = true;
    const events = Array.from({ length: 50 }, (_, index) => event({ session: `s${index}` }));
    await first.publish(events);
    await first.close();
    bus.down = false;
    publisherOn(await openTestSpool(), { partitionOf: (key) => partitionForKey(key, 3) });
    await vi.waitFor(() => expect(new Set(idsOnBus())).toEqual(new Set(events.map(({ id }) => id))), {
      timeout: 10_000,
    });
    for (const { record } of bus.published) {
      for (const line of Buffer.from(record.value).toString().split('\n')) {
        const session = (JSON.parse(line) as string[])[14]!;
        expect(record.partition).toBe(partitionForKey(session, 3));
      }
    }
  });
});

describe('when the bus refuses a record for good', () => {
  const isPoison = (record: OutgoingRecord) => Buffer.from(record.value).toString().includes('poison');
  const refusedFile = () => join(directory, 'refused.rows');

  test.each([
    ['it takes smaller batches only', (record: OutgoingRecord) => record.value.length > 1_500],
    ['it takes records with a key only', (record: OutgoingRecord) => record.key === null],
  ])('%s: everything arrives, in order', async (_, refuses) => {
    bus.refuses = refuses;
    const events = Array.from({ length: 150 }, (_each, index) => event({ session: `s${index % 5}` }));
    await publisherOn(null, { partitionOf: () => 0 }).publish(events);
    expect(idsOnBus()).toEqual(events.map(({ id }) => id));
  });

  test('a topic with fewer partitions than before: everything arrives in the partitions of now', async () => {
    let partitions = PARTITIONS;
    bus.refuses = ({ partition }) => partition! >= 5;
    const publisher = publisherOn(null, {
      partitionOf: (key) => partitionForKey(key, partitions),
      refreshPartitions: () => {
        partitions = 5;
        return Promise.resolve();
      },
    });
    const events = Array.from({ length: 60 }, (_, index) => event({ session: `s${index}` }));
    await publisher.publish(events);
    expect(idsOnBus().sort()).toEqual(events.map(({ id }) => id).sort());
    for (const { record } of bus.published) {
      const rows = Buffer.from(record.value).toString().split('\n');
      for (const row of rows) {
        expect(record.partition).toBe(partitionForKey((JSON.parse(row) as string[])[14]!, 5));
      }
    }
  });

  test('one bad event among many: the others arrive, it is kept, reported, and tried again at the next start', async () => {
    bus.refuses = isPoison;
    const faults: string[] = [];
    const onFault = (what: string, error: unknown) => faults.push(`${what}: ${(error as Error).message}`);
    const publisher = publisherOn(await openTestSpool(), { partitionOf: () => 0, onFault });
    const events = Array.from({ length: 100 }, (_, index) => event(index === 40 ? { user: 'poison' } : {}));
    await publisher.publish(events);
    const others = events.filter((_, index) => index !== 40).map(({ id }) => id);
    expect(idsOnBus()).toEqual(others);
    expect(faults).toEqual([expect.stringMatching(/^the bus refuses events: 1 events, they lie in .*refused\.rows/)]);
    expect(await readFile(refusedFile(), 'utf8')).toContain(events[40]!.id);
    // Nothing waits behind it.
    await publisher.publish([event()]);
    expect(idsOnBus()).toHaveLength(100);
    await publisher.close();

    bus.refuses = () => false;
    publisherOn(await openTestSpool(), { partitionOf: () => 0 });
    await vi.waitFor(() => expect(idsOnBus().at(-1)).toBe(events[40]!.id), { timeout: 10_000 });
    await vi.waitFor(async () => expect(await spooled()).toEqual([]), { timeout: 10_000 });
  });

  test('a bad event in the spool does not hold up those behind it', async () => {
    const publisher = publisherOn(await openTestSpool(), { partitionOf: () => 0 });
    bus.down = true;
    const events = Array.from({ length: 30 }, (_, index) => event(index === 3 ? { user: 'poison' } : {}));
    for (const one of events) await publisher.publish([one]);
    bus.refuses = isPoison;
    bus.down = false;
    const others = events.filter((_, index) => index !== 3).map(({ id }) => id);
    await vi.waitFor(() => expect(idsOnBus()).toEqual(others), { timeout: 10_000 });
    await vi.waitFor(async () => expect(await spooled()).toEqual(['refused.rows']), { timeout: 10_000 });
  });

  test('more bad events than may be kept: their senders hear of it, those of others do not', async () => {
    bus.refuses = isPoison;
    const faults: string[] = [];
    const onFault = (what: string) => faults.push(what);
    const publisher = publisherOn(await openTestSpool({ refusedBytesMax: 10 }), { onFault });
    const good = publisher.publish([event({ session: 'one' })]);
    const bad = publisher.publish([event({ session: 'two', user: 'poison' })]);
    await expect(bad).rejects.toMatchObject({ code: 'internal' });
    await good;
    expect(faults).toEqual(['the spool did not take what the bus refuses']);
    expect(await spooled()).toEqual([]);
  });

  test('more bad events in the spool than may be kept wait there, under that name, until the bus takes them', async () => {
    bus.down = true;
    const faults: string[] = [];
    const onFault = (what: string) => faults.push(what);
    const publisher = publisherOn(await openTestSpool({ refusedBytesMax: 10 }), { onFault });
    const poison = event({ user: 'poison' });
    await publisher.publish([poison]);
    bus.refuses = isPoison;
    bus.down = false;
    await vi.waitFor(() => expect(faults).toContain('the bus refuses more events than may be kept'), {
      timeout: 10_000,
    });
    bus.refuses = () => false;
    await vi.waitFor(() => expect(idsOnBus()).toEqual([poison.id]), { timeout: 10_000 });
  });

  test('without a spool the sender of the bad event hears of it, and nobody else', async () => {
    bus.refuses = isPoison;
    const publisher = publisherOn(null);
    const good = publisher.publish([event({ session: 'one' })]);
    const bad = publisher.publish([event({ session: 'two', user: 'poison' })]);
    await expect(bad).rejects.toMatchObject({ code: 'internal' });
    await good;
    expect(idsOnBus()).toHaveLength(1);
  });

  test('a bus that goes down in the middle of this leaves everything in the spool', async () => {
    const publisher = publisherOn(await openTestSpool(), { partitionOf: () => 0 });
    let calls = 0;
    bus.refuses = (record) => {
      if (++calls === 4) bus.down = true;
      return isPoison(record);
    };
    const events = Array.from({ length: 50 }, (_, index) => event(index === 20 ? { user: 'poison' } : {}));
    await publisher.publish(events);
    expect(await spooled()).toContain('000000000001.rows');
    bus.refuses = isPoison;
    bus.down = false;
    const others = events.filter((_, index) => index !== 20).map(({ id }) => id);
    await vi.waitFor(() => expect(new Set(idsOnBus())).toEqual(new Set(others)), { timeout: 10_000 });
    await vi.waitFor(async () => expect(await spooled()).toEqual(['refused.rows']), { timeout: 10_000 });
  });
});
