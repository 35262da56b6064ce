import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { makeTempDir, removeDir, uniqueName, until } from '../../../deploy/testing/helpers.ts';
import type { Bus, BusRecord } from '../../contract/bus.ts';
import { openBus } from './open.ts';
import { partitionForKey } from './partition.ts';
import { numbered, readAll, record, startChild } from './testing/harness.ts';
import type { Child, Recorder } from './testing/harness.ts';

/** What every bus promises: the port in `ingest/contract/bus.ts`, sentence by sentence. */
const kafkaBrokers = inject('kafkaBrokers');
const MEMBER_DEADLINE_MS = 30_000;

describe.each(['embedded', 'kafka'] as const)('bus: %s', (kind) => {
  // A cluster that is not ours may refuse sessions shorter than six seconds, the brokers' default.
  const sessionTimeoutMs = kind === 'kafka' ? 6_000 : 1_500;

  describe.skipIf(kind === 'kafka' && kafkaBrokers === null)('contract', () => {
    let directory: string;
    let url: string;
    let bus: Bus;
    const recorders: Recorder[] = [];
    const children: Child[] = [];

    beforeAll(async () => {
      directory = await makeTempDir();
      url = kind === 'kafka' ? `kafka://${kafkaBrokers}` : `lmdb:${directory}`;
      bus = await openBus(url);
    });

    afterAll(async () => {
      await bus.close();
      await removeDir(directory);
    });

    afterEach(async () => {
      await Promise.all(recorders.splice(0).map(({ subscription }) => subscription.close()));
      await Promise.all(children.splice(0).map((child) => child.kill()));
    });

    async function newTopic(partitions: number, compacted = false): Promise<string> {
      const name = uniqueName('contract');
      await bus.ensureTopics([{ name, partitions, compacted }]);
      return name;
    }

    async function join(options: Parameters<typeof record>[1], on: Bus = bus): Promise<Recorder> {
      const recorder = await record(on, { sessionTimeoutMs, ...options });
      recorders.push(recorder);
      return recorder;
    }

    function child(role: 'publisher' | 'member', topic: string, group = ''): Child {
      const started = startChild({ role, url, topic, group, sessionTimeoutMs });
      children.push(started);
      return started;
    }

    it('ensureTopics creates what is missing and leaves what exists as it is', async () => {
      const name = await newTopic(3);
      await bus.ensureTopics([{ name, partitions: 7, compacted: false }]);
      expect(await bus.partitionCount(name)).toBe(3);
    });

    it('a topic that does not exist is a BusUnavailableError', async () => {
      await expect(bus.publish(uniqueName('nowhere'), numbered(1, 0))).rejects.toMatchObject({
        name: 'BusUnavailableError',
      });
      await expect(bus.partitionCount(uniqueName('nowhere'))).rejects.toMatchObject({ name: 'BusUnavailableError' });
    });

    it('a key goes to the partition that murmur2 names, and key, value, headers and time come back', async () => {
      const topic = await newTopic(5);
      const before = Date.now();
      const keys = Array.from({ length: 40 }, (_, index) => `key ${index} é`);
      await bus.publish(
        topic,
        keys.map((key) => ({
          key,
          value: Buffer.from(`v-${key}`),
          headers: { 'lanewatch-row': '1', more: 'Ünïcode' },
        })),
      );
      const records = await readAll(bus, topic, uniqueName('group'));
      expect(records.map(({ key }) => key).sort()).toEqual([...keys].sort());
      for (const { key, value, headers, partition, timestamp } of records) {
        expect(partition).toBe(partitionForKey(key!, 5));
        expect(value.toString()).toBe(`v-${key}`);
        expect(headers).toEqual({ 'lanewatch-row': '1', more: 'Ünïcode' });
        expect(timestamp).toBeGreaterThanOrEqual(before - 1_000);
        expect(timestamp).toBeLessThanOrEqual(Date.now() + 1_000);
      }
    });

    it('records of one partition keep the order in which publish was called, over many overlapping calls', async () => {
      const topic = await newTopic(2);
      const calls = Array.from({ length: 300 }, (_, index) =>
        bus.publish(topic, [
          { key: null, value: Buffer.from(`a${index}`), partition: 0 },
          { key: null, value: Buffer.from(`b${index}`), partition: 1 },
        ]),
      );
      await Promise.all(calls);
      const records = await readAll(bus, topic, uniqueName('group'));
      for (const [partition, prefix] of [
        [0, 'a'],
        [1, 'b'],
      ] as const) {
        const own = records.filter((item) => item.partition === partition);
        expect(own.map(({ value }) => value.toString())).toEqual(
          Array.from({ length: 300 }, (_, index) => prefix + index),
        );
        expect(own.map(({ offset }) => offset)).toEqual(own.map((_, index) => index));
      }
    });

    it('no key, an empty value, any bytes and a value of 10 MB come back as they were', async () => {
      const topic = await newTopic(1);
      const large = Buffer.alloc(10 * 1024 * 1024, 'abcdefg');
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
      await bus.publish(topic, [
        { key: null, value: Buffer.alloc(0), partition: 0 },
        { key: '', value: bytes, headers: { empty: '', 'odd name': '\u0000\n"' }, partition: 0 },
        { key: 'large', value: large, partition: 0 },
        { key: 'after', value: new Uint8Array([1, 2, 3]), partition: 0 },
      ]);
      const [empty, binary, big, after] = await readAll(bus, topic, uniqueName('group'));
      expect([empty!.key, empty!.value.length, empty!.headers]).toEqual([null, 0, {}]);
      expect([binary!.key, binary!.headers]).toEqual(['', { empty: '', 'odd name': '\u0000\n"' }]);
      expect(binary!.value.equals(bytes)).toBe(true);
      expect(big!.value.equals(large)).toBe(true);
      expect([...after!.value]).toEqual([1, 2, 3]);
    });

    it('refuses a record that is too large or names no partition of the topic, without hurting others', async () => {
      const topic = await newTopic(1);
      const good = bus.publish(topic, numbered(1, 0));
      await expect(bus.publish(topic, [{ key: null, value: Buffer.alloc(17 * 1024 * 1024) }])).rejects.toMatchObject({
        name: 'RecordRefusedError',
      });
      await expect(bus.publish(topic, numbered(1, 5))).rejects.toMatchObject({ name: 'RecordRefusedError' });
      await expect(good).resolves.toBeUndefined();
    });

    it('a compacted topic refuses a record without a key', async () => {
      const topic = await newTopic(1, true);
      const calls = [bus.publish(topic, numbered(1, 0)), bus.publish(topic, [{ key: 'a', value: Buffer.from('1') }])];
      await expect(calls[0]).rejects.toMatchObject({ name: 'RecordRefusedError' });
      await expect(calls[1]).resolves.toBeUndefined();
    });

    it('a partition without a resume offset is read from its first record, whatever was committed', async () => {
      const topic = await newTopic(1);
      const group = uniqueName('group');
      await bus.publish(topic, numbered(10, 0));
      const first = await join({ topic, group });
      await until(() => first.records.length === 10, MEMBER_DEADLINE_MS);
      await first.subscription.commit(new Map([[0, 10]]));
      await until(async () => (await bus.lag(topic, group))[0]?.committedOffset === 10, MEMBER_DEADLINE_MS);
      await first.subscription.close();

      const second = await join({ topic, group });
      await until(() => second.records.length === 10, MEMBER_DEADLINE_MS);
      expect(second.texts()).toEqual(first.texts());
    });

    it('resumes exactly where onAssignment says, also behind the committed offset and with nothing new on the topic', async () => {
      const topic = await newTopic(2);
      const group = uniqueName('group');
      await bus.publish(topic, [...numbered(10, 0), ...numbered(10, 1)]);
      const first = await join({ topic, group });
      await until(() => first.records.length === 20, MEMBER_DEADLINE_MS);
      await first.subscription.commit(
        new Map([
          [0, 10],
          [1, 2],
        ]),
      );
      await first.subscription.close();

      const resume = new Map([
        [0, 4],
        [1, 7],
      ]);
      const second = await join({ topic, group, onAssignment: () => Promise.resolve(resume) });
      await until(() => second.records.length === 9, MEMBER_DEADLINE_MS);
      await bus.publish(topic, numbered(1, 0, 'new'));
      await until(() => second.texts().includes('new0'), MEMBER_DEADLINE_MS);
      const offsets = (partition: number) =>
        second.records.filter((item) => item.partition === partition).map(({ offset }) => offset);
      expect(offsets(0)).toEqual([4, 5, 6, 7, 8, 9, 10]);
      expect(offsets(1)).toEqual([7, 8, 9]);
    });

    it('where it resumes counts as committed, so that nobody sees lag where nothing is left to read', async () => {
      const topic = await newTopic(2);
      const group = uniqueName('group');
      await bus.publish(topic, [...numbered(10, 0), ...numbered(4, 1)]);
      const resume = new Map([
        [0, 10],
        [1, 3],
      ]);
      await join({ topic, group, onAssignment: () => Promise.resolve(resume) });
      const committed = async () => (await bus.lag(topic, group)).map(({ committedOffset }) => committedOffset);
      await until(async () => (await committed()).join() === '10,3', MEMBER_DEADLINE_MS);
    });

    it('delivers nothing before onAssignment has settled', async () => {
      const topic = await newTopic(1);
      await bus.publish(topic, numbered(5, 0));
      const gate = Promise.withResolvers<Map<number, number>>();
      let asked = false;
      const member = await join({
        topic,
        group: uniqueName('group'),
        onAssignment: () => {
          asked = true;
          return gate.promise;
        },
      });
      await until(() => asked, MEMBER_DEADLINE_MS);
      // Another member that starts later and reads the same records proves that there was time enough to deliver them.
      await readAll(bus, topic, uniqueName('group'));
      expect(member.records).toEqual([]);
      gate.resolve(new Map([[0, 3]]));
      await until(() => member.records.length === 2, MEMBER_DEADLINE_MS);
      expect(member.records[0]!.offset).toBe(3);
    });

    it('an offset beyond the end is reported and the topic read from its start', async () => {
      const topic = await newTopic(1);
      await bus.publish(topic, numbered(3, 0));
      const member = await join({
        topic,
        group: uniqueName('group'),
        onAssignment: () => Promise.resolve(new Map([[0, 1_000]])),
      });
      await until(() => member.records.length === 3, MEMBER_DEADLINE_MS);
      expect(String(member.faults[0])).toMatch(/cannot resume from offset 1000/);
    });

    it('a pending handler stops its partition, not the others, and what waits in memory stays bounded', async () => {
      const topic = await newTopic(2);
      const gate = Promise.withResolvers<undefined>();
      let handedOver = 0;
      const member = await join({
        topic,
        group: uniqueName('group'),
        batchBytesMax: 64 * 1024,
        async onBatch(batch) {
          if (batch.partition !== 0) return;
          handedOver++;
          await gate.promise;
        },
      });
      const kilobytes = (count: number, partition: number) =>
        Array.from({ length: count }, () => ({ key: null, value: Buffer.alloc(1_000, 'x'), partition }));
      for (let round = 0; round < 20; round++) {
        await bus.publish(topic, kilobytes(100, 0));
        await bus.publish(topic, kilobytes(10, 1));
      }
      await until(() => member.records.filter(({ partition }) => partition === 1).length === 200, MEMBER_DEADLINE_MS);
      expect(handedOver).toBe(1);
      expect(member.records.some(({ partition }) => partition === 0)).toBe(false);
      gate.resolve(undefined);
      await until(() => member.records.length === 2_200, MEMBER_DEADLINE_MS);
      const offsets = member.records.filter(({ partition }) => partition === 0).map(({ offset }) => offset);
      expect(offsets).toEqual(Array.from({ length: 2_000 }, (_, index) => index));
    });

    it('a handler that takes longer than the session keeps its membership', async () => {
      const topic = await newTopic(1);
      await bus.publish(topic, numbered(1, 0));
      const started = performance.now();
      const member = await join({
        topic,
        group: uniqueName('group'),
        onBatch: () =>
          until(() => performance.now() - started > sessionTimeoutMs * 1.5, sessionTimeoutMs * 2).then(() => undefined),
      });
      await until(() => member.records.length === 1, MEMBER_DEADLINE_MS);
      await bus.publish(topic, numbered(1, 0, 'next'));
      await until(() => member.records.length === 2, MEMBER_DEADLINE_MS);
      expect(member.assignments).toEqual([[0]]);
      expect(member.faults).toEqual([]);
    });

    it('a handler that throws gets the same records again after a fresh assignment, and the member lives on', async () => {
      const topic = await newTopic(1);
      await bus.publish(topic, numbered(3, 0));
      let failures = 0;
      const member = await join({
        topic,
        group: uniqueName('group'),
        onBatch: () => (failures++ < 2 ? Promise.reject(new Error('poison')) : Promise.resolve()),
      });
      await until(() => member.records.length === 3, MEMBER_DEADLINE_MS);
      expect(member.assignments.length).toBe(3);
      expect(member.faults.map(String)).toEqual(['Error: poison', 'Error: poison']);
      expect(member.texts()).toEqual(['0', '1', '2']);
    });

    it('an onAssignment that throws makes the member leave and join again', async () => {
      const topic = await newTopic(1);
      await bus.publish(topic, numbered(2, 0));
      let failures = 0;
      const member = await join({
        topic,
        group: uniqueName('group'),
        onAssignment: () =>
          failures++ === 0 ? Promise.reject(new Error('ledger is down')) : Promise.resolve(new Map()),
      });
      await until(() => member.records.length === 2, MEMBER_DEADLINE_MS);
      expect(failures).toBe(2);
    });

    it('rejoin gives up the membership and a fresh assignment follows', async () => {
      const topic = await newTopic(1);
      const member = await join({ topic, group: uniqueName('group') });
      await until(() => member.assignments.length === 1, MEMBER_DEADLINE_MS);
      await member.subscription.rejoin('test');
      expect(member.revocations).toBe(1);
      await until(() => member.assignments.length === 2, MEMBER_DEADLINE_MS);
      await bus.publish(topic, numbered(1, 0));
      await until(() => member.records.length === 1, MEMBER_DEADLINE_MS);
    });

    it('members that join and leave share the partitions; each is told its new set and nothing is lost', async () => {
      const topic = await newTopic(4);
      const group = uniqueName('group');
      const second = await openBus(url);
      try {
        const a = await join({ topic, group });
        await until(() => a.assignments.at(-1)?.length === 4, MEMBER_DEADLINE_MS);
        let published = 0;
        const publishSome = async () => {
          for (let partition = 0; partition < 4; partition++)
            await bus.publish(topic, numbered(5, partition, `${published}-`));
          published++;
        };
        await publishSome();
        const b = await join({ topic, group }, second);
        await until(() => a.assignments.at(-1)?.length === 2 && b.assignments.at(-1)?.length === 2, MEMBER_DEADLINE_MS);
        expect([...a.assignments.at(-1)!, ...b.assignments.at(-1)!].sort()).toEqual([0, 1, 2, 3]);
        expect(a.revocations).toBeGreaterThanOrEqual(1);
        await publishSome();
        await until(() => b.texts().some((text) => text.startsWith('1-')), MEMBER_DEADLINE_MS);
        const owned = b.assignments.at(-1)!;
        expect(b.records.every(({ partition }) => owned.includes(partition))).toBe(true);
        await b.subscription.close();
        await until(() => a.assignments.at(-1)?.length === 4, MEMBER_DEADLINE_MS);
        await publishSome();
        await until(
          () =>
            new Set(
              a.records.filter(({ value }) => value.toString().startsWith('2-')).map(({ partition }) => partition),
            ).size === 4,
          MEMBER_DEADLINE_MS,
        );
        const seen = (items: BusRecord[]) => new Set(items.map(({ partition, offset }) => `${partition}/${offset}`));
        expect(seen([...a.records, ...b.records]).size).toBe(3 * 20);
      } finally {
        await second.close();
      }
    });

    it('a killed member is succeeded, and the successor starts where it says', async () => {
      const topic = await newTopic(2);
      const group = uniqueName('group');
      await bus.publish(topic, [...numbered(5, 0), ...numbered(5, 1)]);
      const dying = child('member', topic, group);
      await dying.assigned();
      const survivor = await join({ topic, group });
      await until(() => survivor.assignments.at(-1)?.length === 1, MEMBER_DEADLINE_MS);
      await dying.kill();
      await until(() => survivor.assignments.at(-1)?.length === 2, MEMBER_DEADLINE_MS);
      await until(
        () => new Set(survivor.records.map(({ partition, offset }) => `${partition}/${offset}`)).size === 10,
        MEMBER_DEADLINE_MS,
      );
    });

    it('a member paused past its session is succeeded; when it wakes it joins afresh and delivers nothing of before', async () => {
      const topic = await newTopic(1);
      const group = uniqueName('group');
      await bus.publish(topic, numbered(3, 0));
      const sleeper = child('member', topic, group);
      await sleeper.assigned();
      await until(() => sleeper.reports.some(({ kind: what }) => what === 'delivered'), MEMBER_DEADLINE_MS);
      sleeper.pause();
      const successor = await join({ topic, group });
      await until(() => successor.assignments.at(-1)?.length === 1, MEMBER_DEADLINE_MS);
      await bus.publish(topic, numbered(50, 0, 'later'));
      await until(() => successor.records.length === 53, MEMBER_DEADLINE_MS);
      const before = sleeper.reports.length;
      sleeper.resume();
      await until(
        () => sleeper.reports.slice(before).some(({ kind: what }) => what === 'assigned'),
        MEMBER_DEADLINE_MS,
        'a fresh assignment',
      );
      const woken = sleeper.reports.slice(before);
      const joinedAt = woken.findIndex(({ kind: what }) => what === 'assigned');
      expect(woken.findIndex(({ kind: what }) => what === 'revoked')).toBeLessThan(joinedAt);
      expect(woken.slice(0, joinedAt).filter(({ kind: what }) => what === 'delivered')).toEqual([]);
    });

    it('every acknowledged record survives kill -9 of its publisher, in order, and the log goes on', async () => {
      const topic = await newTopic(3);
      const acknowledged = new Map<string, number>();
      for (let round = 0; round < 4; round++) {
        const publisher = child('publisher', topic);
        await until(() => publisher.reports.length > 200 + round * 137, MEMBER_DEADLINE_MS, 'acknowledgements');
        await publisher.kill();
        for (const report of publisher.reports)
          if (report.kind === 'acknowledged') acknowledged.set(`${round}/${report.key}`, report.sequence);
      }
      await bus.publish(topic, numbered(1, 0, 'after'));
      const records = await readAll(bus, topic, uniqueName('group'));
      expect(records.some(({ value }) => value.toString() === 'after0')).toBe(true);
      // Rounds are told apart by their sequences starting again at 0.
      const sequences = new Map<string, number[]>();
      for (const { key, value } of records) {
        if (key === null) continue;
        const sequence = Number(value.toString().split(':')[1]);
        sequences.set(key, [...(sequences.get(key) ?? []), sequence]);
      }
      expect(acknowledged.size).toBe(4 * 16);
      for (const [key, all] of sequences) {
        const rounds: number[][] = [];
        for (const sequence of all) {
          if (sequence === 0 && rounds.at(-1)?.at(-1) !== 0) rounds.push([]);
          rounds.at(-1)!.push(sequence);
        }
        expect(rounds.length).toBe(4);
        for (const [round, found] of rounds.entries()) {
          // A retry may have written a record twice; it may not have lost or overtaken one.
          expect([...new Set(found)]).toEqual(Array.from({ length: found.at(-1)! + 1 }, (_, index) => index));
          expect(found.at(-1)!).toBeGreaterThanOrEqual(acknowledged.get(`${round}/${key}`)!);
        }
      }
    });

    it('a process that is killed while it reads leaves nothing behind that stops the others', async () => {
      const topic = await newTopic(1);
      await bus.publish(topic, numbered(10, 0));
      for (let round = 0; round < 3; round++) {
        const reader = child('member', topic, uniqueName('group'));
        await until(() => reader.reports.some(({ kind: what }) => what === 'delivered'), MEMBER_DEADLINE_MS);
        await reader.kill();
        await bus.publish(topic, numbered(10, 0));
      }
      expect((await readAll(bus, topic, uniqueName('group'))).length).toBe(40);
    });

    it('followLatest hands a late joiner the latest record of every key and then follows', async () => {
      const topic = await newTopic(2, true);
      for (let version = 1; version <= 3; version++)
        await bus.publish(
          topic,
          ['a', 'b', 'c'].map((key) => ({ key, value: Buffer.from(`${key}${version}`) })),
        );
      const latest = new Map<string, string>();
      const offsets = new Map<number, number[]>();
      const view = await bus.followLatest(topic, ({ key, value, partition, offset }) => {
        latest.set(key!, value.toString());
        offsets.set(partition, [...(offsets.get(partition) ?? []), offset]);
      });
      await view.caughtUp();
      expect(Object.fromEntries(latest)).toEqual({ a: 'a3', b: 'b3', c: 'c3' });
      await bus.publish(topic, [{ key: 'b', value: Buffer.from('b4') }]);
      await until(() => latest.get('b') === 'b4', MEMBER_DEADLINE_MS);
      await view.caughtUp();
      for (const list of offsets.values()) expect(list).toEqual([...list].sort((left, right) => left - right));
      await view.close();
    });

    it('caughtUp resolves at once on an empty topic', async () => {
      const view = await bus.followLatest(await newTopic(1, true), () => undefined);
      await view.caughtUp();
      await view.close();
    });

    it('a record whose reader throws does not stop the view', async () => {
      const topic = await newTopic(1, true);
      await bus.publish(topic, [
        { key: 'bad', value: Buffer.from('?') },
        { key: 'good', value: Buffer.from('!') },
      ]);
      const seen: string[] = [];
      const view = await bus.followLatest(topic, ({ key }) => {
        if (key === 'bad') throw new Error('cannot read this');
        seen.push(key!);
      });
      await view.caughtUp();
      expect(seen).toEqual(['good']);
      await view.close();
    });

    it('lag is what is left to read after the committed offset, or everything when nothing was committed', async () => {
      const topic = await newTopic(2);
      const group = uniqueName('group');
      await bus.publish(topic, [...numbered(8, 0), ...numbered(3, 1)]);
      expect(await bus.lag(topic, group)).toEqual([
        { partition: 0, committedOffset: 0, endOffset: 8, lag: 8 },
        { partition: 1, committedOffset: 0, endOffset: 3, lag: 3 },
      ]);
      const member = await join({ topic, group });
      await until(() => member.records.length === 11, MEMBER_DEADLINE_MS);
      await member.subscription.commit(
        new Map([
          [0, 5],
          [1, 3],
        ]),
      );
      expect((await bus.lag(topic, group)).map(({ lag }) => lag)).toEqual([3, 0]);
    });

    it('endOffset tells how far the partition reached when the batch was read', async () => {
      const topic = await newTopic(1);
      await bus.publish(topic, numbered(7, 0));
      const ends: number[] = [];
      const member = await join({
        topic,
        group: uniqueName('group'),
        onBatch: ({ endOffset }) => {
          ends.push(endOffset);
          return Promise.resolve();
        },
      });
      await until(() => member.records.length === 7, MEMBER_DEADLINE_MS);
      expect(ends.at(-1)).toBe(7);
    });

    it('a closed subscription delivers nothing more, and a closed bus refuses', async () => {
      const topic = await newTopic(1);
      const other = await openBus(url);
      const member = await record(other, { topic, group: uniqueName('group'), sessionTimeoutMs });
      await until(() => member.assignments.length === 1, MEMBER_DEADLINE_MS);
      await member.subscription.close();
      await bus.publish(topic, numbered(3, 0));
      await readAll(bus, topic, uniqueName('group'));
      expect(member.records).toEqual([]);
      await other.close();
      await expect(other.publish(topic, numbered(1, 0))).rejects.toMatchObject({ name: 'BusUnavailableError' });
    });
  });
});
