import { describe, expect, test, vi } from 'vitest';
import { createTopicAdmin } from './admin.ts';
import type { Kafka } from './client.ts';

const HOUR_MS = 3_600_000;

function adminOf(methods: Record<string, (argument: never) => Promise<unknown>>) {
  const admin = { connect: vi.fn(() => Promise.resolve()), disconnect: vi.fn(() => Promise.resolve()), ...methods };
  return { admin, topics: createTopicAdmin({ admin: () => admin } as unknown as Kafka, -1, HOUR_MS) };
}

test('closing disconnects, also when the last question failed', async () => {
  const { admin, topics } = adminOf({ fetchTopicOffsets: () => Promise.reject(new Error('broken')) });
  await expect(topics.bounds('t')).rejects.toThrow(/offsets of t: broken/);
  await topics.close();
  expect(admin.disconnect).toHaveBeenCalledOnce();
});

test('where nothing was asked nothing is disconnected', async () => {
  const { admin, topics } = adminOf({});
  await topics.close();
  expect(admin.connect).not.toHaveBeenCalled();
  expect(admin.disconnect).not.toHaveBeenCalled();
});

describe('topics that are missing', () => {
  const wanted = ['a', 'b'].map((name) => ({ name, partitions: 1, compacted: false }));
  const refusal = (topic: string, type: string, message: string) =>
    Object.assign(new Error(message), { topic, type, name: 'KafkaJSCreateTopicError' });
  const refusing = (...errors: Error[]) =>
    adminOf({
      listTopics: () => Promise.resolve([]),
      createTopics: () => Promise.reject(Object.assign(new Error('Topic creation errors'), { errors })),
      fetchTopicOffsets: () => Promise.resolve([]),
    }).topics;

  test('are there when another process was faster', async () => {
    const there = refusing(
      refusal('a', 'TOPIC_ALREADY_EXISTS', 'exists'),
      refusal('b', 'TOPIC_ALREADY_EXISTS', 'exists'),
    );
    await expect(there.ensureTopics(wanted)).resolves.toBeUndefined();
  });

  test.each(['UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE', 'NOT_LEADER_FOR_PARTITION'])(
    'are waited for while a broker says %s of what the controller has made',
    async (type) => {
      const answers = [refusal('a', type, 'not yet'), null, refusal('b', type, 'not yet'), null, null];
      const fetchTopicOffsets = vi.fn((_topic: string) => {
        const answer = answers.shift();
        return answer ? Promise.reject(answer) : Promise.resolve([]);
      });
      const createTopics = vi.fn((_: { waitForLeaders: boolean }) => Promise.resolve());
      const { topics } = adminOf({ listTopics: () => Promise.resolve([]), createTopics, fetchTopicOffsets });
      await topics.ensureTopics(wanted);
      expect(fetchTopicOffsets.mock.calls.map(([topic]) => topic)).toEqual(['a', 'a', 'b', 'a', 'b']);
      expect(createTopics.mock.lastCall![0].waitForLeaders).toBe(false);
    },
  );

  test('keep records as long as they are told to, unless the newest of each key is kept for ever', async () => {
    interface Made {
      topic: string;
      configEntries: { name: string; value: string }[];
    }
    const createTopics = vi.fn((_: { topics: Made[] }) => Promise.resolve());
    const { topics } = adminOf({
      ...{ listTopics: () => Promise.resolve([]), createTopics },
      fetchTopicOffsets: () => Promise.resolve([]),
    });
    await topics.ensureTopics([...wanted, { name: 'newest', partitions: 1, compacted: true }]);
    const retentions = createTopics.mock.lastCall![0].topics.map(({ topic, configEntries }) => [
      topic,
      configEntries.find(({ name }) => name === 'retention.ms')?.value,
    ]);
    expect(retentions).toEqual([
      ['a', '3600000'],
      ['b', '3600000'],
      ['newest', undefined],
    ]);
  });

  test('and refused are named with the reason and what to do', async () => {
    const topics = refusing(
      refusal('a', 'TOPIC_ALREADY_EXISTS', 'exists'),
      refusal('b', 'TOPIC_AUTHORIZATION_FAILED', 'Not authorized'),
    );
    await expect(topics.ensureTopics(wanted)).rejects.toThrow(
      'Kafka does not create topics: b: Not authorized (TOPIC_AUTHORIZATION_FAILED); allow this user to, or create them beforehand',
    );
  });
});
