import { expect, inject, it } from 'vitest';
import { uniqueName, until } from '../../../deploy/testing/helpers.ts';
import type { BusRecord } from '../../contract/bus.ts';
import { openBus } from './open.ts';
import { describeEachBus, MEMBER_DEADLINE_MS } from './testing/each-bus.ts';
import { numbered, readAll } from './testing/harness.ts';

describeEachBus(inject('kafkaBrokers'), (under) => {
  it('rejoin gives up the membership and a fresh assignment follows', async () => {
    const topic = await under.newTopic(1);
    const member = await under.join({ topic, group: uniqueName('group') });
    await until(() => member.assignments.length === 1, MEMBER_DEADLINE_MS);
    await member.subscription.rejoin('test');
    expect(member.revocations).toBe(1);
    await until(() => member.assignments.length === 2, MEMBER_DEADLINE_MS);
    await under.bus.publish(topic, numbered(1, 0));
    await until(() => member.records.length === 1, MEMBER_DEADLINE_MS);
  });

  it('members that join and leave share the partitions; each is told its new set and nothing is lost', async () => {
    const topic = await under.newTopic(4);
    const group = uniqueName('group');
    const second = await openBus(under.url);
    try {
      const a = await under.join({ topic, group });
      await until(() => a.assignments.at(-1)?.length === 4, MEMBER_DEADLINE_MS);
      let published = 0;
      const publishSome = async () => {
        for (let partition = 0; partition < 4; partition++)
          await under.bus.publish(topic, numbered(5, partition, `${published}-`));
        published++;
      };
      await publishSome();
      const b = await under.join({ topic, group }, second);
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
          new Set(a.records.filter(({ value }) => value.toString().startsWith('2-')).map(({ partition }) => partition))
            .size === 4,
        MEMBER_DEADLINE_MS,
      );
      const seen = (items: BusRecord[]) => new Set(items.map(({ partition, offset }) => `${partition}/${offset}`));
      expect(seen([...a.records, ...b.records]).size).toBe(3 * 20);
    } finally {
      await second.close();
    }
  });

  it('a killed member is succeeded, and the successor starts where it says', async () => {
    const topic = await under.newTopic(2);
    const group = uniqueName('group');
    await under.bus.publish(topic, [...numbered(5, 0), ...numbered(5, 1)]);
    const dying = under.child('member', topic, group);
    await dying.assigned();
    const survivor = await under.join({ topic, group });
    await until(() => survivor.assignments.at(-1)?.length === 1, MEMBER_DEADLINE_MS);
    await dying.kill();
    await until(() => survivor.assignments.at(-1)?.length === 2, MEMBER_DEADLINE_MS);
    await until(
      () => new Set(survivor.records.map(({ partition, offset }) => `${partition}/${offset}`)).size === 10,
      MEMBER_DEADLINE_MS,
    );
  });

  it('a member paused past its session is succeeded; when it wakes it joins afresh and delivers nothing of before', async () => {
    const topic = await under.newTopic(1);
    const group = uniqueName('group');
    await under.bus.publish(topic, numbered(3, 0));
    const sleeper = under.child('member', topic, group);
    await sleeper.assigned();
    await until(() => sleeper.reports.some(({ kind: what }) => what === 'delivered'), MEMBER_DEADLINE_MS);
    sleeper.pause();
    const successor = await under.join({ topic, group });
    await until(() => successor.assignments.at(-1)?.length === 1, MEMBER_DEADLINE_MS);
    await under.bus.publish(topic, numbered(50, 0, 'later'));
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

  it('a process that is killed while it reads leaves nothing behind that stops the others', async () => {
    const topic = await under.newTopic(1);
    await under.bus.publish(topic, numbered(10, 0));
    for (let round = 0; round < 3; round++) {
      const reader = under.child('member', topic, uniqueName('group'));
      await until(() => reader.reports.some(({ kind: what }) => what === 'delivered'), MEMBER_DEADLINE_MS);
      await reader.kill();
      await under.bus.publish(topic, numbered(10, 0));
    }
    expect((await readAll(under.bus, topic, uniqueName('group'))).length).toBe(40);
  });

  it('where it resumes counts as committed, so that nobody sees lag where nothing is left to read', async () => {
    const topic = await under.newTopic(2);
    const group = uniqueName('group');
    await under.bus.publish(topic, [...numbered(10, 0), ...numbered(4, 1)]);
    const resume = new Map([
      [0, 10],
      [1, 3],
    ]);
    await under.join({ topic, group, onAssignment: () => Promise.resolve(resume) });
    const committed = async () => (await under.bus.lag(topic, group)).map(({ committedOffset }) => committedOffset);
    await until(async () => (await committed()).join() === '10,3', MEMBER_DEADLINE_MS);
  });

  it('lag is what is left to read after the committed offset, or everything when nothing was committed', async () => {
    const topic = await under.newTopic(2);
    const group = uniqueName('group');
    await under.bus.publish(topic, [...numbered(8, 0), ...numbered(3, 1)]);
    expect(await under.bus.lag(topic, group)).toEqual([
      { partition: 0, committedOffset: 0, endOffset: 8, lag: 8 },
      { partition: 1, committedOffset: 0, endOffset: 3, lag: 3 },
    ]);
    const member = await under.join({ topic, group });
    await until(() => member.records.length === 11, MEMBER_DEADLINE_MS);
    await member.subscription.commit(
      new Map([
        [0, 5],
        [1, 3],
      ]),
    );
    expect((await under.bus.lag(topic, group)).map(({ lag }) => lag)).toEqual([3, 0]);
  });
});
