import { expect, test, vi } from 'vitest';
import { createTopicAdmin } from './admin.ts';
import type { Kafka } from './client.ts';

function adminOf(methods: Record<string, () => Promise<unknown>>) {
  const admin = { connect: vi.fn(() => Promise.resolve()), disconnect: vi.fn(() => Promise.resolve()), ...methods };
  return { admin, topics: createTopicAdmin({ admin: () => admin } as unknown as Kafka, -1) };
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
