import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { startKafka, type KafkaServer } from '../../../../deploy/kafka/start-kafka.ts';
import { uniqueName } from '../../../../deploy/testing/helpers.ts';
import { openBus } from '../open.ts';
import { readAll } from '../testing/harness.ts';

const USER = { user: 'lanewatch', password: 'correcthorse' };

describe.skipIf(inject('kafkaBrokers') === null)('Kafka behind TLS that asks for a user', () => {
  let kafka: KafkaServer;
  beforeAll(async () => {
    kafka = await startKafka({ secure: USER });
  });
  afterAll(() => kafka.stop());

  const urlOf = (mechanism: string, password = USER.password) =>
    `kafka://${USER.user}:${password}@${kafka.secure!.brokers}?ssl=true&sasl=${mechanism}&ca=${kafka.secure!.caFile}`;

  it.each(['plain', 'scram-sha-256', 'scram-sha-512'])('records go in and come out by %s', async (mechanism) => {
    const bus = await openBus(urlOf(mechanism));
    const topic = uniqueName('secure');
    await bus.ensureTopics([{ name: topic, partitions: 2, compacted: false }]);
    const texts = Array.from({ length: 500 }, (_, index) => `${index} ${'x'.repeat(index)}`);
    await bus.publish(
      topic,
      texts.map((text, index) => ({ key: null, value: Buffer.from(text), partition: index % 2, headers: { n: 'y' } })),
    );
    const read = await readAll(bus, topic, uniqueName('group'));
    expect(read.map(({ value }) => value.toString()).sort()).toEqual(texts.toSorted());
    expect(read.every(({ headers }) => headers['n'] === 'y')).toBe(true);
    await bus.close();
  });

  it.each(['plain', 'scram-sha-512'])('a wrong password is said at once by %s, and not repeated', async (mechanism) => {
    const bus = await openBus(urlOf(mechanism, 'wronghorse'));
    const failure = bus.ensureTopics([{ name: 't', partitions: 1, compacted: false }]);
    await expect(failure).rejects.toThrow(/authentication failed/i);
    await expect(failure).rejects.toThrow(expect.not.stringContaining('horse'));
    await bus.close();
  });
});
