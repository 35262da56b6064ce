import { expect, inject, it } from 'vitest';
import { until } from '../../../deploy/testing/helpers.ts';
import { describeEachBus, MEMBER_DEADLINE_MS } from './testing/each-bus.ts';

describeEachBus(inject('kafkaBrokers'), (under) => {
  it('followLatest hands a late joiner the latest record of every key and then follows', async () => {
    const topic = await under.newTopic(2, true);
    for (let version = 1; version <= 3; version++)
      await under.bus.publish(
        topic,
        ['a', 'b', 'c'].map((key) => ({ key, value: Buffer.from(`${key}${version}`) })),
      );
    const latest = new Map<string, string>();
    const offsets = new Map<number, number[]>();
    const view = await under.bus.followLatest(topic, ({ key, value, partition, offset }) => {
      latest.set(key!, value.toString());
      offsets.set(partition, [...(offsets.get(partition) ?? []), offset]);
    });
    await view.caughtUp();
    expect(Object.fromEntries(latest)).toEqual({ a: 'a3', b: 'b3', c: 'c3' });
    await under.bus.publish(topic, [{ key: 'b', value: Buffer.from('b4') }]);
    await until(() => latest.get('b') === 'b4', MEMBER_DEADLINE_MS);
    await view.caughtUp();
    for (const list of offsets.values()) expect(list).toEqual([...list].sort((left, right) => left - right));
    await view.close();
  });

  it('caughtUp resolves at once on an empty topic', async () => {
    const view = await under.bus.followLatest(await under.newTopic(1, true), () => undefined);
    await view.caughtUp();
    await view.close();
  });

  it('a record whose reader throws does not stop the view', async () => {
    const topic = await under.newTopic(1, true);
    await under.bus.publish(topic, [
      { key: 'bad', value: Buffer.from('?') },
      { key: 'good', value: Buffer.from('!') },
    ]);
    const seen: string[] = [];
    const view = await under.bus.followLatest(topic, ({ key }) => {
      if (key === 'bad') throw new Error('cannot read this');
      seen.push(key!);
    });
    await view.caughtUp();
    expect(seen).toEqual(['good']);
    await view.close();
  });
});
