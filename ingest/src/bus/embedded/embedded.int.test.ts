import { execFile } from 'node:child_process';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { tempDir, uniqueName, until } from '../../../../deploy/testing/helpers.ts';
import type { Bus } from '../../../contract/bus.ts';
import { openBus } from '../open.ts';
import type { OpenBusOptions } from '../options.ts';
import { numbered, readAll, record, startChild } from '../testing/harness.ts';
import { encodeChunk, encodedBytes } from './chunk.ts';
import { chunkKey, encodeHead, openLogStore, partitionKey } from './log-store.ts';
import type { LogStore } from './log-store.ts';
import { createRetention } from './retention.ts';

const run = promisify(execFile);
const DEADLINE_MS = 30_000;

async function openIn(directory: string, options: OpenBusOptions = {}): Promise<Bus> {
  const bus = await openBus(`lmdb:${directory}`, options);
  onTestFinished(() => bus.close());
  return bus;
}

describe('embedded bus: what the contract leaves open', () => {
  it('three processes write one partition at once and every record has an offset of its own', async () => {
    const directory = await tempDir();
    const bus = await openIn(directory);
    await bus.ensureTopics([{ name: 't', partitions: 1, compacted: false }]);
    const children = [1, 2, 3].map(() =>
      startChild({ role: 'publisher', url: `lmdb:${directory}`, topic: 't', group: '', sessionTimeoutMs: 1_000 }),
    );
    await until(() => children.every(({ reports }) => reports.length > 300), DEADLINE_MS);
    await Promise.all(children.map((child) => child.kill()));
    const acknowledged = children.flatMap(({ reports }) =>
      reports.filter(({ kind }) => kind === 'acknowledged'),
    ).length;
    const records = await readAll(bus, 't', 'reader');
    expect(records.length).toBeGreaterThanOrEqual(acknowledged);
    expect(records.map(({ offset }) => offset)).toEqual(records.map((_, index) => index));
  });

  it('a killed member is succeeded within a second, long before its session would run out', async () => {
    const directory = await tempDir();
    const bus = await openIn(directory);
    await bus.ensureTopics([{ name: 't', partitions: 1, compacted: false }]);
    const dying = startChild({
      role: 'member',
      url: `lmdb:${directory}`,
      topic: 't',
      group: 'g',
      sessionTimeoutMs: 30_000,
    });
    await dying.assigned();
    await dying.kill();
    const startedAt = performance.now();
    const successor = await record(bus, { topic: 't', group: 'g' });
    await until(() => successor.assignments.at(-1)?.length === 1, DEADLINE_MS);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });

  it('what another process publishes is delivered within a tenth of a second on an idle bus', async () => {
    const directory = await tempDir();
    const writer = await openIn(directory);
    const reader = await openIn(directory);
    await writer.ensureTopics([{ name: 't', partitions: 1, compacted: false }]);
    const member = await record(reader, { topic: 't', group: 'g' });
    await until(() => member.assignments.length === 1, DEADLINE_MS);
    const delays: number[] = [];
    for (let index = 0; index < 20; index++) {
      await writer.publish('t', numbered(1, 0));
      const startedAt = performance.now();
      await until(() => member.records.length === index + 1, DEADLINE_MS);
      delays.push(performance.now() - startedAt);
    }
    expect(delays.sort((left, right) => left - right)[10]).toBeLessThan(100);
  });

  it('finds everything again after all processes have ended', async () => {
    const directory = await tempDir();
    const first = await openBus(`lmdb:${directory}`);
    await first.ensureTopics([{ name: 't', partitions: 2, compacted: false }]);
    await first.publish('t', [...numbered(5, 0), ...numbered(5, 1)]);
    await first.close();
    const second = await openIn(directory);
    expect(await second.partitionCount('t')).toBe(2);
    expect((await readAll(second, 't', 'g')).length).toBe(10);
  });

  it('a compacted topic holds one record per key however often it is written', async () => {
    const directory = await tempDir();
    const bus = await openIn(directory);
    await bus.ensureTopics([{ name: 't', partitions: 1, compacted: true }]);
    for (let round = 0; round < 50; round++)
      await bus.publish(
        't',
        ['a', 'b'].map((key) => ({ key, value: Buffer.from(`${key}${round}`) })),
      );
    const seen: string[] = [];
    const view = await bus.followLatest('t', ({ value }) => seen.push(value.toString()));
    await view.caughtUp();
    expect(seen).toEqual(['a49', 'b49']);
  });

  it.skipIf(process.getuid?.() !== 0)(
    'a full disk is a BusUnavailableError that says so; what is there is still read, and the log goes on when there is room',
    async () => {
      const directory = await tempDir();
      try {
        await run('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', directory]);
      } catch (error) {
        throw new Error('This test runs as root but may not mount a small file system.', { cause: error });
      }
      const bus = await openBus(`lmdb:${directory}`, { retentionBytes: 1024 * 1024 });
      try {
        await bus.ensureTopics([{ name: 't', partitions: 1, compacted: false }]);
        const megabyte = { key: null, value: Buffer.alloc(1024 * 1024, 'x') };
        let failure: unknown;
        let written = 0;
        while (failure === undefined && written < 100) {
          try {
            await bus.publish('t', [megabyte]);
            written++;
          } catch (error) {
            failure = error;
          }
        }
        expect(failure).toMatchObject({
          name: 'BusUnavailableError',
          message: expect.stringMatching(/is full$/) as string,
        });
        await bus.publish('t', numbered(1, 0, 'small'));
        expect((await readAll(bus, 't', 'g')).length).toBe(written + 1);
      } finally {
        await bus.close();
        await run('umount', [directory]);
      }
    },
  );

  it('a directory that cannot be made is one clear error', async () => {
    const file = path.join(await tempDir(), 'file');
    writeFileSync(file, '');
    await expect(openBus(`lmdb:${file}/bus`)).rejects.toThrow(file);
  });

  it('keeps the log for the user who runs it', async () => {
    const directory = path.join(await tempDir(), 'bus');
    await openIn(directory);
    expect(statSync(directory).mode & 0o077).toBe(0);
    expect(readdirSync(directory)).toContain('log.mdb');
  });
});

describe('embedded bus: retention', () => {
  const DAY_MS = 24 * 3_600_000;
  const NOW_MS = 100 * DAY_MS;
  const CHUNK_BYTES = 10_000;
  const settings = { retentionMs: 7 * DAY_MS, retentionBytes: 10 * CHUNK_BYTES };

  /** A log with one topic of one partition whose chunks of one record have the given ages in days, oldest first. */
  async function logWith(agesDays: number[], compacted = false): Promise<LogStore> {
    const store = openLogStore(await tempDir(), 1024 ** 3);
    onTestFinished(() => store.close());
    const value = Buffer.alloc(CHUNK_BYTES - 22);
    const record = { key: null, value };
    store.root.transactionSync(() => {
      store.topics.putSync(
        Buffer.from('t'),
        Buffer.from(JSON.stringify({ name: 't', partitions: 1, compacted, id: 1 })),
      );
      for (const [offset, age] of agesDays.entries())
        store.chunks.putSync(
          chunkKey(1, 0, offset),
          encodeChunk([record], encodedBytes(record), NOW_MS - age * DAY_MS),
        );
      store.heads.putSync(
        partitionKey(1, 0),
        encodeHead({ first: 0, end: agesDays.length, bytes: agesDays.length * CHUNK_BYTES }),
      );
    });
    return store;
  }

  function commit(store: LogStore, group: string, offset: number, at: number): void {
    const value = Buffer.alloc(16);
    value.writeDoubleLE(offset, 0);
    value.writeDoubleLE(at, 8);
    store.root.transactionSync(() => {
      store.committed.putSync(Buffer.concat([partitionKey(1, 0), Buffer.from(group)]), value);
    });
  }

  it('removes what is too old, and readers go on at the first record that is left', async () => {
    const store = await logWith([9, 8, 6, 1]);
    expect(createRetention(store, settings).trim(NOW_MS)).toBe(2 * CHUNK_BYTES);
    expect(store.head(1, 0)).toEqual({ first: 2, end: 4, bytes: 2 * CHUNK_BYTES });
    expect(store.read(1, 0, 0, 1)!.records[0]!.offset).toBe(2);
  });

  it('removes the oldest beyond the size', async () => {
    const store = await logWith(Array.from({ length: 15 }, () => 1));
    createRetention(store, settings).trim(NOW_MS);
    expect(store.head(1, 0)).toEqual({ first: 5, end: 15, bytes: 10 * CHUNK_BYTES });
  });

  it('keeps what a living group has not committed until the log is twice as large as allowed', async () => {
    const old = await logWith([9, 9, 9]);
    commit(old, 'detector', 1, NOW_MS - DAY_MS);
    createRetention(old, settings).trim(NOW_MS);
    expect(old.head(1, 0).first).toBe(1);

    const large = await logWith(Array.from({ length: 25 }, () => 1));
    commit(large, 'detector', 0, NOW_MS - DAY_MS);
    createRetention(large, settings).trim(NOW_MS);
    expect(large.head(1, 0)).toEqual({ first: 5, end: 25, bytes: 20 * CHUNK_BYTES });
  });

  it('does not wait for a group that has committed nothing for the retention time', async () => {
    const store = await logWith([9, 9, 9]);
    commit(store, 'gone', 0, NOW_MS - 8 * DAY_MS);
    createRetention(store, settings).trim(NOW_MS);
    expect(store.head(1, 0).first).toBe(3);
  });

  it('never trims a compacted topic', async () => {
    const store = await logWith([90, 90, 90], true);
    expect(createRetention(store, settings).trim(NOW_MS)).toBe(0);
  });

  it('runs by itself', async () => {
    const bus = await openIn(await tempDir(), { retentionMs: 200 });
    const topic = uniqueName('t');
    await bus.ensureTopics([{ name: topic, partitions: 1, compacted: false }]);
    await bus.publish(topic, numbered(10, 0));
    await until(async () => {
      const [row] = await bus.lag(topic, 'nobody');
      return row!.committedOffset === 10;
    }, DEADLINE_MS);
  });
});
