import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { freePort, startKafka } from '../../../../deploy/kafka/start-kafka.ts';
import type { KafkaServer } from '../../../../deploy/kafka/start-kafka.ts';
import { uniqueName, until } from '../../../../deploy/testing/helpers.ts';
import type { Bus, OutgoingRecord } from '../../../contract/bus.ts';
import { RecordRefusedError } from '../errors.ts';
import { openBus } from '../open.ts';
import { numbered, readAll, record } from '../testing/harness.ts';
import { COMPRESSION, createKafka, createProducer } from './client.ts';

const kafkaBrokers = inject('kafkaBrokers');
const DEADLINE_MS = 60_000;

describe.skipIf(kafkaBrokers === null)('Kafka: batches of other producers', () => {
  let bus: Bus;
  beforeAll(async () => {
    bus = await openBus(`kafka://${kafkaBrokers}`);
  });
  afterAll(() => bus.close());

  it.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)('reads what was compressed with %s', async (codec) => {
    const topic = uniqueName('codec');
    await bus.ensureTopics([{ name: topic, partitions: 1, compacted: false }]);
    const producer = createProducer(createKafka({ brokers: kafkaBrokers!.split(','), ssl: false }, {}, 10_000), {});
    await producer.connect();
    const values = Array.from(
      { length: 500 },
      (_, index) => `${codec} ${index} ${'the same words again '.repeat(index % 50)}`,
    );
    await producer.send({
      topic,
      compression: COMPRESSION[codec],
      messages: values.map((value) => ({ key: 'k', value, headers: { h: codec } })),
    });
    await producer.disconnect();
    const records = await readAll(bus, topic, uniqueName('group'));
    expect(records.map(({ value }) => value.toString())).toEqual(values);
    expect(records[0]!.headers).toEqual({ h: codec });
  });

  it('markers of transactions and aborted records are passed over, and nothing stalls behind them', async () => {
    const topic = uniqueName('transactions');
    await bus.ensureTopics([{ name: topic, partitions: 1, compacted: false }]);
    const kafka = createKafka({ brokers: kafkaBrokers!.split(','), ssl: false }, {}, 10_000);
    const producer = createProducer(kafka, {
      transactionalId: uniqueName('tx'),
      maxInFlightRequests: 1,
      idempotent: true,
    });
    await producer.connect();
    for (const [value, commit] of [
      ['kept', true],
      ['dropped', false],
    ] as const) {
      const transaction = await producer.transaction();
      await transaction.send({ topic, messages: [{ value }] });
      await (commit ? transaction.commit() : transaction.abort());
    }
    // The aborted record and its marker are the end of the log: a view that waits for their offsets must not wait for ever.
    const seen: string[] = [];
    const view = await bus.followLatest(topic, ({ value }) => seen.push(value.toString()));
    await view.caughtUp();
    expect(seen).toEqual(['kept']);
    await view.close();
    // Nor must a group that has dealt with all there was: whoever joined before the transaction, or only now.
    const group = uniqueName('group');
    const lagOf = async () => (await bus.lag(topic, group))[0]!.lag;
    const subscription = await bus.subscribe({
      topic,
      group,
      onAssignment: async () => new Map(),
      onBatch: ({ partition, records }) => subscription.commit(new Map([[partition, records.at(-1)!.offset + 1]])),
    });
    await until(async () => (await lagOf()) === 0, DEADLINE_MS, 'no lag behind what was aborted before');
    const transaction = await producer.transaction();
    await transaction.send({ topic, messages: Array.from({ length: 8 }, () => ({ value: 'dropped' })) });
    await transaction.abort();
    await until(async () => (await lagOf()) === 0, DEADLINE_MS, 'no lag behind what is aborted now');
    await subscription.close();
    await producer.disconnect();
  });

  it('a view leaves no offsets behind, with which the broker would keep its group for days', async () => {
    const topic = uniqueName('view');
    await bus.ensureTopics([{ name: topic, partitions: 1, compacted: true }]);
    await bus.publish(topic, [{ key: 'k', value: Buffer.from('v') }]);
    const view = await bus.followLatest(topic, () => undefined);
    await view.caughtUp();
    await bus.publish(topic, [{ key: 'k', value: Buffer.from('w') }]);
    await view.caughtUp();
    const admin = createKafka({ brokers: kafkaBrokers!.split(','), ssl: false }, {}, 10_000).admin();
    await admin.connect();
    const { groups } = await admin.listGroups();
    const views = groups.map(({ groupId }) => groupId).filter((group) => group.startsWith('lanewatch-latest-'));
    expect(views.length).toBeGreaterThan(0);
    for (const groupId of views) {
      const [offsets] = await admin.fetchOffsets({ groupId, topics: [topic] });
      expect(offsets!.partitions).toMatchObject([{ offset: '-1' }]);
    }
    await admin.disconnect();
    await view.close();
  });

  it('null values, repeated headers and headers without a value come as texts', async () => {
    const topic = uniqueName('odd');
    await bus.ensureTopics([{ name: topic, partitions: 1, compacted: false }]);
    const producer = createProducer(createKafka({ brokers: kafkaBrokers!.split(','), ssl: false }, {}, 10_000), {});
    await producer.connect();
    await producer.send({ topic, messages: [{ value: null, headers: { twice: ['a', 'b'] } }] });
    await producer.disconnect();
    const [odd] = await readAll(bus, topic, uniqueName('group'));
    expect([odd!.value.length, odd!.headers]).toEqual([0, { twice: 'b' }]);
  });

  it('the time of a record is when the bus took it, not what its producer says', async () => {
    const topic = uniqueName('times');
    await bus.ensureTopics([{ name: topic, partitions: 1, compacted: false }]);
    const producer = createProducer(createKafka({ brokers: kafkaBrokers!.split(','), ssl: false }, {}, 10_000), {});
    await producer.connect();
    const before = Date.now();
    const times = ['1000', String(Date.UTC(2400, 0))];
    await producer.send({ topic, messages: times.map((timestamp) => ({ value: timestamp, timestamp })) });
    await producer.disconnect();
    const records = await readAll(bus, topic, uniqueName('group'));
    expect(records.map(({ value }) => value.toString())).toEqual(times);
    for (const { timestamp } of records) {
      expect(timestamp).toBeGreaterThanOrEqual(before);
      expect(timestamp).toBeLessThanOrEqual(Date.now());
    }
  });
});

describe.skipIf(kafkaBrokers === null)('Kafka: topics that change their partitions', () => {
  let bus: Bus;
  const admin = createKafka({ brokers: (kafkaBrokers ?? '').split(','), ssl: false }, {}, 10_000).admin();
  beforeAll(async () => {
    bus = await openBus(`kafka://${kafkaBrokers}`);
    await admin.connect();
  });
  afterAll(async () => {
    await admin.disconnect();
    await bus.close();
  });
  const keyed = (prefix: string) =>
    Array.from({ length: 60 }, (_, index) => ({ key: `k${index}`, value: Buffer.from(`${prefix}${index}`) }));
  const textsOf = (records: OutgoingRecord[]) => records.map(({ value }) => Buffer.from(value).toString()).sort();
  /** Each once: while partitions are new a broker may refuse some, and a retry sends the others again. */
  const textsOn = async (topic: string) => {
    const records = await readAll(bus, topic, uniqueName('group'));
    return [...new Set(records.map(({ value }) => value.toString()))].sort();
  };

  it('made anew with fewer: what would go to one that is gone is refused, and nothing acknowledged is missing', async () => {
    const topic = uniqueName('fewer');
    await bus.ensureTopics([{ name: topic, partitions: 8, compacted: false }]);
    await bus.publish(topic, keyed('before'));
    await admin.deleteTopics({ topics: [topic] });
    await until(async () => !(await admin.listTopics()).includes(topic), DEADLINE_MS);
    const operator = await openBus(`kafka://${kafkaBrokers}`);
    await operator.ensureTopics([{ name: topic, partitions: 2, compacted: false }]);
    await operator.close();
    // The keys still count to 8, as this process has known the topic.
    await expect(bus.publish(topic, keyed('refused'))).rejects.toBeInstanceOf(RecordRefusedError);
    await expect(bus.publish(topic, numbered(1, 5))).rejects.toBeInstanceOf(RecordRefusedError);
    const kept = keyed('kept');
    await bus.publish(topic, kept);
    expect((await textsOn(topic)).filter((text) => text.startsWith('kept'))).toEqual(textsOf(kept));
    expect(await bus.partitionCount(topic)).toBe(2);
  });

  it('grown: the count is the new one at once, and records for the new partitions arrive', async () => {
    const topic = uniqueName('grown');
    await bus.ensureTopics([{ name: topic, partitions: 1, compacted: false }]);
    const before = keyed('before');
    await bus.publish(topic, before);
    await admin.createPartitions({ topicPartitions: [{ topic, count: 6 }] });
    await until(async () => (await bus.partitionCount(topic)) === 6, DEADLINE_MS);
    const after = keyed('after');
    await bus.publish(topic, after);
    expect(await textsOn(topic)).toEqual([...textsOf(after), ...textsOf(before)]);
    expect((await bus.lag(topic, uniqueName('group'))).filter(({ endOffset }) => endOffset > 0)).toHaveLength(6);
  });
});

// The broker of the run is shared, so what kills a broker starts one of its own.
describe.skipIf(kafkaBrokers === null)('Kafka: brokers that go and come back', () => {
  let kafka: KafkaServer;
  beforeAll(async () => {
    kafka = await startKafka();
  });
  afterAll(() => kafka.stop());

  it('publishing and consuming ride out kill -9 of the broker: every acknowledged record arrives, in order', async () => {
    const bus = await openBus(`kafka://${kafka.brokers}`, { publishTimeoutMs: 2_000 });
    const topic = uniqueName('restart');
    await bus.ensureTopics([{ name: topic, partitions: 2, compacted: false }]);
    const consumer = await record(bus, { topic, group: uniqueName('group'), sessionTimeoutMs: 6_000 });
    await until(() => consumer.assignments.length > 0, DEADLINE_MS);
    const acknowledged: string[] = [];
    let refused = 0;
    let slowestMs = 0;
    let publishing = true;
    const publisher = (async () => {
      for (let index = 0; publishing; index++) {
        const startedAt = performance.now();
        try {
          await bus.publish(topic, [{ key: null, value: Buffer.from(String(index)), partition: index % 2 }]);
          acknowledged.push(String(index));
        } catch (error) {
          expect((error as Error).name).toBe('BusUnavailableError');
          refused++;
        }
        slowestMs = Math.max(slowestMs, performance.now() - startedAt);
      }
    })();
    for (let round = 0; round < 2; round++) {
      const goal = acknowledged.length + 200;
      await until(() => acknowledged.length > goal, DEADLINE_MS, 'acknowledgements');
      const refusedBefore = refused;
      await kafka.kill();
      await until(() => refused > refusedBefore, DEADLINE_MS, 'a refusal while the broker is down');
      await kafka.restart();
    }
    const goal = acknowledged.length + 200;
    await until(() => acknowledged.length > goal, DEADLINE_MS, 'acknowledgements after the last restart');
    publishing = false;
    await publisher;
    expect(slowestMs).toBeLessThan(4_000);
    const received = () => new Set(consumer.texts());
    await until(() => acknowledged.every((text) => received().has(text)), DEADLINE_MS, 'every acknowledged record');
    for (const partition of [0, 1]) {
      const firsts = [
        ...new Set(
          consumer.records.filter((item) => item.partition === partition).map(({ value }) => Number(value.toString())),
        ),
      ];
      expect(firsts).toEqual([...firsts].sort((left, right) => left - right));
    }
    await bus.close();
  });

  it('a broker that is down when everything starts is waited for', async () => {
    const port = await freePort();
    const bus = await openBus(`kafka://127.0.0.1:${port}`, { publishTimeoutMs: 1_000 });
    const topic = uniqueName('late');
    const consumer = await record(bus, { topic, group: uniqueName('group') });
    const seen: string[] = [];
    const view = await bus.followLatest(topic, ({ value }) => seen.push(value.toString()));
    const caughtUp = view.caughtUp();
    await expect(bus.ensureTopics([{ name: topic, partitions: 1, compacted: true }])).rejects.toMatchObject({
      name: 'BusUnavailableError',
      canRetry: true,
    });
    await expect(bus.publish(topic, [{ key: 'a', value: Buffer.from('1') }])).rejects.toMatchObject({
      name: 'BusUnavailableError',
    });
    const late = await startKafka({ port });
    try {
      await until(
        () => bus.ensureTopics([{ name: topic, partitions: 1, compacted: true }]).then(() => true),
        DEADLINE_MS,
      );
      await until(() => bus.publish(topic, [{ key: 'a', value: Buffer.from('1') }]).then(() => true), DEADLINE_MS);
      await until(() => consumer.texts().includes('1'), DEADLINE_MS);
      await caughtUp;
      await until(() => seen.includes('1'), DEADLINE_MS);
      await bus.close();
    } finally {
      await late.stop();
    }
  });

  it('a broker that hangs without closing its connections is a refusal in time, and is used again when it wakes', async () => {
    const bus = await openBus(`kafka://${kafka.brokers}`, { publishTimeoutMs: 1_500 });
    const topic = uniqueName('hang');
    await bus.ensureTopics([{ name: topic, partitions: 1, compacted: false }]);
    await bus.publish(topic, numbered(1, 0));
    process.kill(kafka.pid, 'SIGSTOP');
    // The signal reaches the broker's threads one by one; one that still runs could answer.
    await until(() => everyThreadStopped(kafka.pid), DEADLINE_MS);
    const startedAt = performance.now();
    try {
      await expect(bus.publish(topic, numbered(1, 0, 'hanging'))).rejects.toMatchObject({
        name: 'BusUnavailableError',
      });
      expect(performance.now() - startedAt).toBeLessThan(2_500);
    } finally {
      process.kill(kafka.pid, 'SIGCONT');
    }
    await until(() => bus.publish(topic, numbered(1, 0, 'after')).then(() => true), DEADLINE_MS);
    expect((await readAll(bus, topic, uniqueName('group'))).map(({ value }) => value.toString())).toContain('after0');
    await bus.close();
  });

  it('a consumer that falls silent while records wait is restarted', async () => {
    const bus = await openBus(`kafka://${kafka.brokers}`, { stallTimeoutMs: 1_000 });
    const topic = uniqueName('silent');
    await bus.ensureTopics([{ name: topic, partitions: 1, compacted: false }]);
    const consumer = await record(bus, { topic, group: uniqueName('group') });
    await until(() => consumer.assignments.length === 1, DEADLINE_MS);
    await bus.publish(topic, numbered(1, 0));
    await until(() => consumer.records.length === 1, DEADLINE_MS);
    // kafkajs' issue 659 in the laboratory: this consumer's fetches come back empty from now on, its heartbeats go on.
    const ConsumerGroup = createRequire(import.meta.url)('kafkajs/src/consumer/consumerGroup') as {
      prototype: { fetch: () => Promise<unknown[]> };
    };
    const { fetch } = ConsumerGroup.prototype;
    let first: object | null = null;
    const isFirst = (group: object) => (first ??= group) === group;
    ConsumerGroup.prototype.fetch = function (this: object, ...parameters: []) {
      return isFirst(this)
        ? new Promise((resolve) => setTimeout(resolve, 50, []))
        : fetch.apply(this as never, parameters);
    };
    try {
      await until(() => first !== null, DEADLINE_MS);
      await bus.publish(topic, numbered(3, 0, 'waiting'));
      await until(() => consumer.records.length === 4, DEADLINE_MS);
    } finally {
      ConsumerGroup.prototype.fetch = fetch;
    }
    expect(consumer.assignments.length).toBe(2);
    expect(consumer.faults.map(String).join()).toMatch(/nothing was delivered for 1000 ms/);
    await bus.close();
  });
});

/** Whether the kernel reports every thread of a process as stopped. */
function everyThreadStopped(pid: number): boolean {
  return readdirSync(`/proc/${pid}/task`).every((thread) => {
    const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).startsWith('T');
  });
}
