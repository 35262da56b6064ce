import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EVENTS_PER_BODY_MAX } from './receive.ts';
import { type Counts, event, json, NDJSON, type Problem } from './testing/requests.ts';
import { createTestServer, type TestServer } from './testing/test-server.ts';

let server: TestServer;
beforeEach(async () => (server = await createTestServer()));
afterEach(() => server.app.close());

describe('bad bodies', { timeout: 30_000 }, () => {
  test.each([
    ['{"source": "s",', 'line 1, column 16'],
    ['[{"source": "s"},\n {"source" "t"}]', 'line 2, column 12'],
    ['', 'empty'],
  ])('broken JSON %j is 400 with its position', async (body, position) => {
    const answer = await server.post('/v1/events', body);
    expect(answer.status).toBe(400);
    expect(answer.json<Problem>().detail).toContain(position);
  });

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/xml',
    'application/x-protobuf',
    'nonsense',
  ])('%s is 415 with the list of what is taken', async (type) => {
    const answer = await server.post('/v1/events', json(event(1)), { 'content-type': type });
    expect(answer.status).toBe(415);
    expect(answer.json<Problem>()).toMatchObject({ status: 415, title: expect.any(String) as string });
  });

  test('an unknown content encoding is 415 and says which are taken', async () => {
    const answer = await server.post('/v1/events', 'x', { 'content-encoding': 'br' });
    expect(answer).toMatchObject({ status: 415, headers: { 'accept-encoding': 'gzip, zstd, deflate' } });
  });

  test.each(['gzip', 'deflate', 'zstd'])('a body that is not %s although it says so is 400', async (encoding) => {
    expect((await server.post('/v1/events', json(event(1)), { 'content-encoding': encoding })).status).toBe(400);
  });

  test('a gzip body that ends too early is 400', async () => {
    const whole = gzipSync(Buffer.from(json(event(1))));
    expect((await server.post('/v1/events', whole.subarray(0, -9), { 'content-encoding': 'gzip' })).status).toBe(400);
  });

  test('over the limit is 413, declared or not', async () => {
    const answer = await server.post('/v1/events', `"${'x'.repeat(1024 * 1024)}"`);
    expect(answer.status).toBe(413);
    expect(answer.json<Problem>().detail).toContain('1048576 bytes');
  });

  test('when too much is under way, others are told to come again', async () => {
    const small = await createTestServer({ bodyBytesMax: 1024 * 1024, inflightBytesMax: 1_000 });
    try {
      const answer = await small.post('/v1/events', json(event(1, { x: 'x'.repeat(2_000) })));
      expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
      expect((await small.post('/v1/events', json(event(1)))).status).toBe(200);
    } finally {
      await small.app.close();
    }
  });

  test('a small body that would take gigabytes is 413 with the limit, in the form of its route', async () => {
    const big = await createTestServer({ bodyBytesMax: 64 * 1024 * 1024, inflightBytesMax: 256 * 1024 * 1024 });
    try {
      const json = Buffer.from(`[${'{},'.repeat(2_500_000)}{}]`);
      for (const [path, body, type, encoded] of [
        ['/v1/events', gzipSync(json), 'application/json', true],
        ['/v1/litellm', gzipSync(json), 'application/json', true],
        ['/v1/logs', gzipSync(`{"resourceLogs":${json.toString()}}`), 'application/json', true],
        ['/v1/logs', Buffer.alloc(5_000_000, Buffer.from([0x0a, 0])), 'application/x-protobuf', false],
      ] as const) {
        const before = process.memoryUsage.rss();
        const answer = await big.post(path, body, {
          'content-type': type,
          ...(encoded ? { 'content-encoding': 'gzip' } : {}),
        });
        expect([path, answer.status]).toEqual([path, 413]);
        expect(answer.body).toMatch(/more than (?:4000000 JSON values|2000000 protobuf messages)/);
        const form = path !== '/v1/logs' ? 'application/problem+json' : type;
        expect(answer.headers['content-type']).toMatch(form);
        expect(process.memoryUsage.rss() - before).toBeLessThan(600 * 1024 * 1024);
      }
      expect((await big.app.inject('/metrics')).body).toMatch(/lanewatch_ingest_inflight_bytes 0/);
    } finally {
      await big.app.close();
    }
  });

  test('more events than one body may hold are 413, and none of them is stored', async () => {
    const line = `${json(event(1))}\n`;
    const big = await createTestServer({ bodyBytesMax: 64 * 1024 * 1024 });
    try {
      const answer = await big.post('/v1/events', line.repeat(EVENTS_PER_BODY_MAX + 1), NDJSON);
      expect(answer.status).toBe(413);
      expect(answer.json<Problem>().detail).toContain('more than 100000 events');
      expect(big.bus.published).toEqual([]);
      expect(big.tallied).toEqual([]);
      expect((await big.post('/v1/events', line.repeat(EVENTS_PER_BODY_MAX), NDJSON)).json<Counts>()).toMatchObject({
        accepted: EVENTS_PER_BODY_MAX,
      });
    } finally {
      await big.app.close();
    }
  });

  test('what the parsed body takes counts among what is under way', async () => {
    const small = await createTestServer({ inflightBytesMax: 300_000 });
    try {
      const many = json(Array.from({ length: 3_000 }, (_, index) => event(index)));
      expect(many.length).toBeLessThan(300_000);
      const bodies = await Promise.all([small.post('/v1/events', many), small.post('/v1/events', many)]);
      expect(bodies.map(({ status }) => status).sort()).toEqual([200, 503]);
      // Alone it may take all there is.
      expect((await small.post('/v1/events', many)).status).toBe(200);
    } finally {
      await small.app.close();
    }
  });
});
