import { once } from 'node:events';
import { createServer as createSocketServer } from 'node:net';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { BusUnavailableError, topicsOf } from '@lanewatch/ingest/contract';
import type { Bus, OutgoingRecord } from '@lanewatch/ingest/contract';
import { engineOf, startHarness, until } from './testing/harness.ts';
import type { Harness } from './testing/harness.ts';

const engine = engineOf(inject('clickhouseServer'));
let api: Harness;
beforeAll(async () => {
  api = await startHarness({ engine });
});
afterAll(() => api.close());

function report(counts: { instance: string; collector: string } & Record<string, unknown>): OutgoingRecord {
  return { key: `${counts.instance}/${counts.collector}`, value: Buffer.from(JSON.stringify(counts)) };
}

test('without ClickHouse reads say so and when to try again, and keys can still be registered and revoked', async () => {
  const without = await startHarness({ engine, storeUrl: 'http://127.0.0.1:9' });
  try {
    for (const path of ['/v1/overview', '/v1/lanes', '/v1/ledger', '/v1/findings', `/v1/lanes/${'a'.repeat(64)}`]) {
      const { status, headers, body } = await without.get(path);
      expect(status, JSON.stringify(body)).toBe(503);
      expect(body.detail).toContain('The ledger (ClickHouse) does not respond');
      expect(headers['retry-after']).toBe('2');
    }
    const ready = await without.get('/readyz');
    expect(ready).toMatchObject({ status: 503, body: { ready: false, missing: ['clickhouse'] } });
    const created = await without.post('/v1/credentials', { name: 'n', fingerprint: 'a'.repeat(64) });
    expect(created).toMatchObject({ status: 201, body: { published: true, findings_resolved: 0 } });
    const path = `/v1/credentials/${created.body.credential.id}`;
    expect((await without.post(`${path}/revoke`)).status).toBe(200);
    const notKnown = { status: 'revoked', last_used_at: null, usage: 'unavailable' };
    expect(await without.get(path)).toMatchObject({ status: 200, body: notKnown });
    const list = await without.get('/v1/credentials');
    expect(list).toMatchObject({ status: 200, body: { items: [notKnown], totals: { total: 1, revoked: 1 } } });
  } finally {
    await without.close();
  }
});

test('a ClickHouse that takes requests and answers none holds nobody up in the registry', async () => {
  const silent = createSocketServer((socket) => socket.on('error', () => undefined));
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as { port: number };
  const without = await startHarness({ engine, storeUrl: `http://127.0.0.1:${port}` });
  try {
    const beganMs = Date.now();
    const created = await without.post('/v1/credentials', { name: 'n', fingerprint: 'a'.repeat(64) });
    expect(created).toMatchObject({ status: 201, body: { credential: { usage: 'unavailable' } } });
    const others = [
      without.post(`/v1/credentials/${created.body.credential.id}/revoke`),
      without.get('/v1/credentials'),
    ];
    expect((await Promise.all(others)).map(({ status }) => status)).toEqual([200, 200]);
    // Each waits a few seconds at most; the dashboard gives up on one answer after twenty.
    expect(Date.now() - beganMs).toBeLessThan(20_000);
  } finally {
    await without.close();
    silent.close();
  }
});

test('a bus that stops answering makes it not ready until it answers again', async () => {
  const { bus } = api;
  let isAway = false;
  const flaky: Bus = {
    ...bus,
    lag: (topic, group) => (isAway ? Promise.reject(new BusUnavailableError('away')) : bus.lag(topic, group)),
    close: () => Promise.resolve(),
  };
  const own = await startHarness({ engine, bus: flaky });
  try {
    const missing = async (): Promise<string[]> => (await own.get('/readyz')).body.missing;
    isAway = true;
    await until(missing, (names) => names.join() === 'bus');
    isAway = false;
    await until(missing, (names) => names.length === 0);
    const told = own.logged.filter((line) => line.includes('the bus does not answer any more'));
    expect(told).toHaveLength(1);
  } finally {
    await own.close();
  }
});

test('health, readiness, metrics and the description are there without a session and hold no secrets', async () => {
  for (const url of ['/healthz', '/readyz', '/metrics', '/openapi.json', '/docs/']) {
    const response = await api.app.inject({ method: 'GET', url });
    expect(response.statusCode, url).toBe(200);
    expect(response.headers['x-content-type-options']).toBe('nosniff');
    expect(response.body).not.toContain(api.cookie);
  }
  const document = (await api.app.inject({ method: 'GET', url: '/openapi.json' })).json<{ paths: object }>();
  expect(Object.keys(document.paths)).toEqual(expect.arrayContaining(['/v1/overview', '/v1/credentials/{id}/revoke']));
  expect(Object.keys(document.paths).filter((path) => path.startsWith('/internal'))).toEqual([]);
  const stream = (document.paths as Record<string, { get: { responses: Record<string, { content: object }> } }>)[
    '/v1/changes'
  ]!;
  expect(Object.keys(stream.get.responses['200']!.content)).toEqual(['text/event-stream']);
});

test('what ingest and detector count for a collector shows on the overview', async () => {
  const { body } = await api.post('/v1/credentials', { kind: 'managed', name: 'agents', environment: 'sandbox' });
  const collector = body.credential.id as string;
  const at = new Date().toISOString();
  const common = { instance_started_at: at, collector, reported_at: at };
  await api.bus.publish(topicsOf('', 1).collectorCounts.name, [
    report({ ...common, instance: 'i1', service: 'ingest', accepted: 5, redacted: 1, last_received_at: at }),
    report({ ...common, instance: 'd1', service: 'detector', stored: 4 }),
  ]);
  type Health = { collector: string; state: string; in_flight: number };
  const ours = async (): Promise<Health | undefined> =>
    (await api.get('/v1/overview')).body.collectors.find((one: Health) => one.collector === collector);
  const health = await until(ours, (one) => one?.state === 'reporting');
  expect(health).toMatchObject({ name: 'agents', accepted: 5, redacted: 1, stored: 4, in_flight: 1 });
  expect((await api.get(`/v1/credentials/${collector}`)).body.last_used_at).toBe(at);
  // Once there is a usage topic, and the detectors have read it to its end, nothing is on its way.
  await api.bus.ensureTopics([topicsOf('', 1).usage]);
  expect(await until(ours, (one) => one?.in_flight === 0)).toMatchObject({ accepted: 5, stored: 4 });
});
