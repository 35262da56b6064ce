import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { SESSION_COOKIE } from '../../contract/index.ts';
import { engineOf, startHarness, until } from '../testing/harness.ts';
import type { Harness } from '../testing/harness.ts';
import { finding } from '../testing/registry.ts';

let api: Harness;
beforeAll(async () => {
  api = await startHarness({ engine: engineOf(inject('clickhouseServer')) });
  await api.app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(() => api.close());

interface Told {
  id: string | undefined;
  event: string;
  data: Record<string, unknown>;
}

/** Listens until it is told to leave. */
async function listen(headers: Record<string, string> = {}) {
  const { port } = api.app.server.address() as { port: number };
  const leaving = new AbortController();
  const response = await fetch(`http://127.0.0.1:${port}/v1/stream`, {
    headers: { cookie: `${SESSION_COOKIE}=${api.cookie}`, ...headers },
    signal: leaving.signal,
  });
  let text = '';
  const reading = (async () => {
    for await (const chunk of response.body!) text += Buffer.from(chunk).toString();
  })().catch(() => undefined);
  const told = (): Told[] =>
    [...text.matchAll(/^(?:id: (.+)\n)?event: (.+)\ndata: (.+)$/gm)].map(([, id, event, data]) => ({
      ...{ id, event: event! },
      data: JSON.parse(data!),
    }));
  const hears = (event: string, count = 1) =>
    until(
      () => Promise.resolve(told().filter((one) => one.event === event)),
      (events) => events.length >= count,
    );
  const leave = async () => {
    leaving.abort();
    await reading;
    await until(
      () => Promise.resolve(api.services.changes.listeners),
      (count) => count === 0,
    );
  };
  return { hears, told, leave };
}

test('findings, acts and changes of the registry are told as they happen; after a cut exactly what was missed', async () => {
  const one = finding({ rule: 'R01', lane: 'there-before' });
  await api.storeFindings([one]);
  const first = await listen();
  await first.hears('change');
  const two = finding({ rule: 'R01', lane: 'new' });
  await api.storeFindings([two]);
  expect((await first.hears('finding'))[0]!.data).toMatchObject({ id: two.id, is_new: true, title: 'Unknown key' });
  await api.storeFindings([{ ...one, occurrences: 2 }]);
  expect((await first.hears('finding', 2))[1]!.data).toMatchObject({ id: one.id, is_new: false, occurrences: 2 });
  await api.post(`/v1/findings/${two.id}/acknowledge`);
  const [acted] = await first.hears('triage');
  expect(acted!.data).toMatchObject({ finding_id: two.id, act: 'acknowledge', by: 'operator', status: 'acknowledged' });
  await first.leave();

  await api.post(`/v1/findings/${two.id}/resolve`);
  await api.post('/v1/credentials', { name: 'missed', fingerprint: '8'.repeat(64) });
  const again = await listen({ 'last-event-id': acted!.id! });
  await again.hears('registry');
  expect((await again.hears('triage')).map(({ data }) => data['act'])).toEqual(['resolve']);
  expect(again.told().filter(({ event }) => event === 'gap')).toEqual([]);
  await again.leave();

  const stranger = await listen({ 'last-event-id': 'another-1' });
  await stranger.hears('gap');
  await stranger.leave();
});
