import { expect, inject, it } from 'vitest';
import { uniqueName, until } from '../../../deploy/testing/helpers.ts';
import { partitionForKey } from './partition.ts';
import { describeEachBus, MEMBER_DEADLINE_MS } from './testing/each-bus.ts';
import { numbered, readAll } from './testing/harness.ts';

describeEachBus(inject('kafkaBrokers'), (under) => {
  it('ensureTopics creates what is missing and leaves what exists as it is', async () => {
    const name = await under.newTopic(3);
    await under.bus.ensureTopics([{ name, partitions: 7, compacted: false }]);
    expect(await under.bus.partitionCount(name)).toBe(3);
  });

  it('a topic that does not exist is a BusUnavailableError', async () => {
    await expect(under.bus.publish(uniqueName('nowhere'), numbered(1, 0))).rejects.toMatchObject({
      name: 'BusUnavailableError',
    });
    await expect(under.bus.partitionCount(uniqueName('nowhere'))).rejects.toMatchObject({
      name: 'BusUnavailableError',
    });
  });

  it('a key goes to the partition that murmur2 names, and key, value, headers and time come back', async () => {
    const topic = await under.newTopic(5);
    const before = Date.now();
    const keys = Array.from({ length: 40 }, (_, index) => `key ${index} é`);
    await under.bus.publish(
      topic,
      keys.map((key) => ({
        key,
        value: Buffer.from(`v-${key}`),
        headers: { 'lanewatch-row': '1', more: 'Ünïcode' },
      })),
    );
    const records = await readAll(under.bus, topic, uniqueName('group'));
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
    const topic = await under.newTopic(2);
    const calls = Array.from({ length: 300 }, (_, index) =>
      under.bus.publish(topic, [
        { key: null, value: Buffer.from(`a${index}`), partition: 0 },
        { key: null, value: Buffer.from(`b${index}`), partition: 1 },
      ]),
    );
    await Promise.all(calls);
    const records = await readAll(under.bus, topic, uniqueName('group'));
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
    const topic = await under.newTopic(1);
    const large = Buffer.alloc(10 * 1024 * 1024, 'abcdefg');
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
    await under.bus.publish(topic, [
      { key: null, value: Buffer.alloc(0), partition: 0 },
      { key: '', value: bytes, headers: { empty: '', 'odd name': '\u0000\n"' }, partition: 0 },
      { key: 'large', value: large, partition: 0 },
      { key: 'after', value: new Uint8Array([1, 2, 3]), partition: 0 },
    ]);
    const [empty, binary, big, after] = await readAll(under.bus, topic, uniqueName('group'));
    expect([empty!.key, empty!.value.length, empty!.headers]).toEqual([null, 0, {}]);
    expect([binary!.key, binary!.headers]).toEqual(['', { empty: '', 'odd name': '\u0000\n"' }]);
    expect(binary!.value.equals(bytes)).toBe(true);
    expect(big!.value.equals(large)).toBe(true);
    expect([...after!.value]).toEqual([1, 2, 3]);
  });

  it('refuses a record that is too large or names no partition of the topic, without hurting others', async () => {
    const topic = await under.newTopic(1);
    const good = under.bus.publish(topic, numbered(1, 0));
    await expect(
      under.bus.publish(topic, [{ key: null, value: Buffer.alloc(17 * 1024 * 1024) }]),
    ).rejects.toMatchObject({
      name: 'RecordRefusedError',
    });
    await expect(under.bus.publish(topic, numbered(1, 5))).rejects.toMatchObject({ name: 'RecordRefusedError' });
    await expect(good).resolves.toBeUndefined();
  });

  it('a compacted topic refuses a record without a key', async () => {
    const topic = await under.newTopic(1, true);
    const calls = [
      under.bus.publish(topic, numbered(1, 0)),
      under.bus.publish(topic, [{ key: 'a', value: Buffer.from('1') }]),
    ];
    await expect(calls[0]).rejects.toMatchObject({ name: 'RecordRefusedError' });
    await expect(calls[1]).resolves.toBeUndefined();
  });

  it('every acknowledged record survives kill -9 of its publisher, in order, and the log goes on', async () => {
    const topic = await under.newTopic(3);
    const acknowledged = new Map<string, number>();
    for (let round = 0; round < 4; round++) {
      const publisher = under.child('publisher', topic);
      await until(() => publisher.reports.length > 200 + round * 137, MEMBER_DEADLINE_MS, 'acknowledgements');
      await publisher.kill();
      for (const report of publisher.reports)
        if (report.kind === 'acknowledged') acknowledged.set(`${round}/${report.key}`, report.sequence);
    }
    await under.bus.publish(topic, numbered(1, 0, 'after'));
    const records = await readAll(under.bus, topic, uniqueName('group'));
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
});
