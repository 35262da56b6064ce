import { expect, inject, it } from 'vitest';
import { uniqueName, until } from '../../../deploy/testing/helpers.ts';
import { openBus } from './open.ts';
import { describeEachBus, MEMBER_DEADLINE_MS } from './testing/each-bus.ts';
import { numbered, readAll, record } from './testing/harness.ts';

describeEachBus(inject('kafkaBrokers'), (under) => {
  it('a partition without a resume offset is read from its first record, whatever was committed', async () => {
    const topic = await under.newTopic(1);
    const group = uniqueName('group');
    await under.bus.publish(topic, numbered(10, 0));
    const first = await under.join({ topic, group });
    await until(() => first.records.length === 10, MEMBER_DEADLINE_MS);
    await first.subscription.commit(new Map([[0, 10]]));
    await until(async () => (await under.bus.lag(topic, group))[0]?.committedOffset === 10, MEMBER_DEADLINE_MS);
    await first.subscription.close();

    const second = await under.join({ topic, group });
    await until(() => second.records.length === 10, MEMBER_DEADLINE_MS);
    expect(second.texts()).toEqual(first.texts());
  });

  it('resumes exactly where onAssignment says, also behind the committed offset and with nothing new on the topic', async () => {
    const topic = await under.newTopic(2);
    const group = uniqueName('group');
    await under.bus.publish(topic, [...numbered(10, 0), ...numbered(10, 1)]);
    const first = await under.join({ topic, group });
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
    const second = await under.join({ topic, group, onAssignment: () => Promise.resolve(resume) });
    await until(() => second.records.length === 9, MEMBER_DEADLINE_MS);
    await under.bus.publish(topic, numbered(1, 0, 'new'));
    await until(() => second.texts().includes('new0'), MEMBER_DEADLINE_MS);
    const offsets = (partition: number) =>
      second.records.filter((item) => item.partition === partition).map(({ offset }) => offset);
    expect(offsets(0)).toEqual([4, 5, 6, 7, 8, 9, 10]);
    expect(offsets(1)).toEqual([7, 8, 9]);
  });

  it('delivers nothing before onAssignment has settled', async () => {
    const topic = await under.newTopic(1);
    await under.bus.publish(topic, numbered(5, 0));
    const gate = Promise.withResolvers<Map<number, number>>();
    let asked = false;
    const member = await under.join({
      topic,
      group: uniqueName('group'),
      onAssignment: () => {
        asked = true;
        return gate.promise;
      },
    });
    await until(() => asked, MEMBER_DEADLINE_MS);
    // Another member that starts later and reads the same records proves that there was time enough to deliver them.
    await readAll(under.bus, topic, uniqueName('group'));
    expect(member.records).toEqual([]);
    gate.resolve(new Map([[0, 3]]));
    await until(() => member.records.length === 2, MEMBER_DEADLINE_MS);
    expect(member.records[0]!.offset).toBe(3);
  });

  it('an offset beyond the end is reported and the topic read from its start', async () => {
    const topic = await under.newTopic(1);
    await under.bus.publish(topic, numbered(3, 0));
    const member = await under.join({
      topic,
      group: uniqueName('group'),
      onAssignment: () => Promise.resolve(new Map([[0, 1_000]])),
    });
    await until(() => member.records.length === 3, MEMBER_DEADLINE_MS);
    expect(String(member.faults[0])).toMatch(/cannot resume from offset 1000/);
  });

  it('a pending handler stops its partition, not the others, and what waits in memory stays bounded', async () => {
    const topic = await under.newTopic(2);
    const gate = Promise.withResolvers<undefined>();
    let handedOver = 0;
    const member = await under.join({
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
      await under.bus.publish(topic, kilobytes(100, 0));
      await under.bus.publish(topic, kilobytes(10, 1));
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
    const topic = await under.newTopic(1);
    await under.bus.publish(topic, numbered(1, 0));
    const started = performance.now();
    const member = await under.join({
      topic,
      group: uniqueName('group'),
      onBatch: () =>
        until(() => performance.now() - started > under.sessionTimeoutMs * 1.5, under.sessionTimeoutMs * 2).then(
          () => undefined,
        ),
    });
    await until(() => member.records.length === 1, MEMBER_DEADLINE_MS);
    await under.bus.publish(topic, numbered(1, 0, 'next'));
    await until(() => member.records.length === 2, MEMBER_DEADLINE_MS);
    expect(member.assignments).toEqual([[0]]);
    expect(member.faults).toEqual([]);
  });

  it('a handler that throws gets the same records again after a fresh assignment, and the member lives on', async () => {
    const topic = await under.newTopic(1);
    await under.bus.publish(topic, numbered(3, 0));
    let failures = 0;
    const member = await under.join({
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
    const topic = await under.newTopic(1);
    await under.bus.publish(topic, numbered(2, 0));
    let failures = 0;
    const member = await under.join({
      topic,
      group: uniqueName('group'),
      onAssignment: () => (failures++ === 0 ? Promise.reject(new Error('ledger is down')) : Promise.resolve(new Map())),
    });
    await until(() => member.records.length === 2, MEMBER_DEADLINE_MS);
    expect(failures).toBe(2);
  });

  it('endOffset tells how far the partition reached when the batch was read', async () => {
    const topic = await under.newTopic(1);
    await under.bus.publish(topic, numbered(7, 0));
    const ends: number[] = [];
    const member = await under.join({
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
    const topic = await under.newTopic(1);
    const other = await openBus(under.url);
    const member = await record(other, { topic, group: uniqueName('group'), sessionTimeoutMs: under.sessionTimeoutMs });
    await until(() => member.assignments.length === 1, MEMBER_DEADLINE_MS);
    await member.subscription.close();
    await under.bus.publish(topic, numbered(3, 0));
    await readAll(under.bus, topic, uniqueName('group'));
    expect(member.records).toEqual([]);
    await other.close();
    await expect(other.publish(topic, numbered(1, 0))).rejects.toMatchObject({ name: 'BusUnavailableError' });
  });
});
