import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FORMATS } from './formats/index.ts';
import { cell } from './testing/memory-bus.ts';
import { type Counts, event, idsOn, json, type Problem } from './testing/requests.ts';
import { COLLECTOR_ID, createTestServer, type TestServer, TOPIC } from './testing/test-server.ts';

let server: TestServer;
beforeEach(async () => (server = await createTestServer()));
afterEach(() => server.app.close());

const ids = () => idsOn(server);

describe('accepted', () => {
  test('events are on the bus when the answer comes, with receipt and collector, and are counted', async () => {
    const answer = await server.post('/v1/events', json([event(1, { cost_usd: '0.01', prompt: 'x' }), event(2)]));
    expect(answer.status).toBe(200);
    expect(answer.json<Counts>()).toEqual({
      accepted: 2,
      rejected: 0,
      ignored: 0,
      dropped_fields: 1,
      redacted: 0,
      errors: [],
    });
    expect(ids()).toEqual(['1', '2']);
    const [row] = server.bus.rows(TOPIC);
    expect(cell(row!, 'collector')).toBe(COLLECTOR_ID);
    expect(Math.abs(Number(cell(row!, 'received_at')) - Date.now())).toBeLessThan(60_000);
    expect(server.tallied).toEqual([{ collector: COLLECTOR_ID, accepted: 2, rejected: 0, ignored: 0, redacted: 0 }]);
    expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('an empty array is nothing, and no error', async () => {
    expect((await server.post('/v1/events', '[]')).json<Counts>()).toMatchObject({ accepted: 0, rejected: 0 });
  });

  test.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['zlib', deflateSync],
    ['zstd', zstdCompressSync],
  ])('a %s body', async (encoding, compress) => {
    const answer = await server.post('/v1/events', compress(Buffer.from(json(event(encoding)))), {
      'content-encoding': encoding,
    });
    expect(answer.json<Counts>()).toMatchObject({ accepted: 1 });
    expect(ids()).toEqual([encoding]);
  });
});

describe('routes', () => {
  test('another method is 405 with the right one, also for OTLP', async () => {
    for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS'] as const) {
      const answer = await server.app.inject({ method, url: '/v1/events' });
      expect([method, answer.statusCode, answer.headers.allow]).toEqual([method, 405, 'POST']);
    }
    expect((await server.app.inject('/v1/logs')).json()).toMatchObject({ code: 12 });
    expect((await server.app.inject({ method: 'POST', url: '/healthz' })).headers.allow).toBe('GET, HEAD');
  });

  test('an unknown route is 404 and lists where to post', async () => {
    const answer = await server.post('/v1/nothing', '{}');
    expect(answer.status).toBe(404);
    for (const { path } of FORMATS) expect(answer.json<Problem>().detail).toContain(path);
  });

  test('the API describes itself: every format is in /openapi.json, and /docs shows it', async () => {
    const api = (await server.app.inject('/openapi.json')).json<{ paths: Record<string, unknown> }>();
    expect(Object.keys(api.paths).sort()).toEqual(FORMATS.map(({ path }) => path).sort());
    expect(JSON.stringify(api.paths['/v1/events'])).toContain('input_uncached');
    expect((await server.app.inject('/docs')).statusCode).toBe(200);
  });

  test('every status that a route answers with is in /openapi.json, with its content type', async () => {
    const api = (await server.app.inject('/openapi.json')).json<{
      paths: Record<string, { post: { responses: Record<string, { content?: Record<string, unknown> }> } }>;
    }>();
    const answered = new Set<number>();
    for (const { path, mediaTypes } of FORMATS) {
      const bodies = ['{}', '[', '', 'x'.repeat(2 ** 21)];
      const requests = [
        ...mediaTypes.flatMap((type) => bodies.map((body) => [body, { 'content-type': type }] as const)),
        ['{}', { 'content-type': 'text/html' }],
        ['{}', { 'content-type': 'application/x-www-form-urlencoded' }],
        ['{}', { 'content-encoding': 'br' }],
        ['{}', { authorization: 'Bearer nobody' }],
      ] as const;
      for (const [body, headers] of requests) {
        const answer = await server.post(path, body, headers);
        const type = String(answer.headers['content-type'] ?? '').split(';')[0]!;
        const documented = api.paths[path]!.post.responses[answer.status];
        expect([path, headers, answer.status, documented === undefined]).toEqual([path, headers, answer.status, false]);
        if (answer.status !== 204)
          expect([path, answer.status, Object.keys(documented!.content ?? {})]).toEqual([
            path,
            answer.status,
            expect.arrayContaining([type]),
          ]);
        answered.add(answer.status);
      }
    }
    expect([...answered].sort()).toEqual(expect.arrayContaining([200, 400, 401, 413, 415]));
  });

  test('refused requests are among those whose time is measured', async () => {
    await server.post('/v1/events', json(event(1)));
    await server.post('/v1/events', 'x'.repeat(2 ** 21));
    await server.post('/v1/events', 'x', { 'content-type': 'text/plain' });
    await server.post('/v1/events', '[]', { authorization: 'Bearer nobody' });
    await expect
      .poll(async () => (await server.app.inject('/metrics')).body)
      .toMatch(/request_seconds_count\{format="events"\} 4/);
  });

  test('metrics count by collector and format', async () => {
    await server.post('/v1/events', json(event(1)));
    const { body } = await server.app.inject('/metrics');
    expect(body).toContain(
      `lanewatch_ingest_events_total{collector="${COLLECTOR_ID}",format="events",result="accepted"} 1`,
    );
  });
});
