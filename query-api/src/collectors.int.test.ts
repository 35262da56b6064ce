import { topicsOf } from '@lanewatch/ingest/contract';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { engineOf, startHarness, until } from './testing/harness.ts';
import type { Harness } from './testing/harness.ts';

const KEY = `sk-ant-api03-${'Ab1'.repeat(30)}-AAAA`;
const topics = topicsOf('', 2);

let api: Harness;
beforeAll(async () => {
  api = await startHarness({ engine: engineOf(inject('clickhouseServer')) });
  await api.bus.ensureTopics([topics.usage, topics.deadLetter]);
  await api.bus.publish(
    topics.deadLetter.name,
    [1, 2, 3].map((offset) => ({
      key: `1/${offset}/0`,
      value: Buffer.from(`{"source": "own", "user": "ada", "key": "${KEY}", "offset": ${offset}`),
      headers: {
        ...{ reason: 'the line is no JSON', partition: '1', offset: String(offset), record_index: '0' },
        ...(offset === 3 ? { original_bytes: '5000000' } : {}),
      },
    })),
  );
  await until(
    () => api.get('/v1/collectors'),
    ({ body }) => body.dead_letters === 3,
  );
});
afterAll(() => api.close());

test('dead letters are told newest first with their reasons, and looked at without a raw key', async () => {
  const first = (await api.get('/v1/dead-letters', { limit: '2' })).body;
  expect(first.items.map(({ id }: { id: string }) => id)).toEqual(['1-3-0', '1-2-0']);
  const rest = (await api.get('/v1/dead-letters', { limit: '2', cursor: first.next_cursor })).body;
  expect(rest).toMatchObject({ items: [{ id: '1-1-0', reason: 'the line is no JSON' }], next_cursor: null });
  const { body } = await api.get('/v1/dead-letters/1-1-0');
  expect(body.text).toContain('"user": "ada"');
  expect(body.text).toContain('[key removed]');
  expect(body.text).not.toContain('Ab1Ab1');
  expect((await api.get('/v1/dead-letters/9-9-9')).status).toBe(404);
});

test('a replay puts the bytes on the usage topic once, and is in the trail', async () => {
  const before = await lag();
  const [one, two] = await Promise.all([1, 1].map(() => api.post('/v1/dead-letters/1-1-0/replay')));
  expect([one?.status, two?.status].sort()).toEqual([200, 409]);
  expect((await api.post('/v1/dead-letters/1-1-0/replay')).status).toBe(409);
  expect(await lag()).toBe(before + 1);
  const { body } = await api.get('/v1/dead-letters/1-1-0');
  expect(body.replayed_at).not.toBeNull();
  const trail = (await api.get('/v1/audit')).body.items as { action: string; subject: { id: string } }[];
  expect(trail.filter(({ action }) => action === 'dead_letter.replayed')).toMatchObject([
    { subject: { id: 'dead letter 1-1-0' } },
  ]);
});

test('what is kept only in part is not replayed', async () => {
  const { status, body } = await api.post('/v1/dead-letters/1-3-0/replay');
  expect(status).toBe(409);
  expect(body.detail).toContain('Only the beginning');
});

/** Records on the usage topic that nobody has read. */
async function lag(): Promise<number> {
  const partitions = await api.bus.lag(topics.usage.name, 'nobody');
  return partitions.reduce((sum, partition) => sum + partition.lag, 0);
}
