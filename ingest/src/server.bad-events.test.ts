import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fixture } from './testing/format-run.ts';
import { cell } from './testing/memory-bus.ts';
import { type Counts, event, idsOn, json, NDJSON, type Problem } from './testing/requests.ts';
import { createTestServer, type TestServer, TOPIC } from './testing/test-server.ts';

let server: TestServer;
beforeEach(async () => (server = await createTestServer()));
afterEach(() => server.app.close());

const ids = () => idsOn(server);

describe('bad events', () => {
  test('of a thousand events one bad one is named by index, field and reason; the others are accepted', async () => {
    const events = Array.from({ length: 1_000 }, (_, index) =>
      event(index, index === 617 ? { tokens: { output: -1 } } : {}),
    );
    for (const [body, headers] of [
      [json(events), {}],
      [events.map(json).join('\n'), NDJSON],
    ] as const) {
      server.bus.published.length = 0;
      const answer = await server.post('/v1/events', body, headers);
      expect(answer.status).toBe(200);
      expect(answer.json<Counts>()).toMatchObject({
        accepted: 999,
        rejected: 1,
        errors: [
          { index: 617, path: 'tokens.output', message: expect.stringContaining('whole number from 0') as string },
        ],
      });
      expect(ids()).toHaveLength(999);
    }
  });

  test('400 only when no event is valid, with the counts', async () => {
    const answer = await server.post('/v1/events', json([{ source: 's' }, 7]));
    expect(answer.status).toBe(400);
    expect(answer.headers['content-type']).toMatch('application/problem+json');
    expect(answer.json<Problem>()).toMatchObject({
      type: 'urn:lanewatch:problem:invalid_events',
      accepted: 0,
      rejected: 2,
      errors: [
        { index: 0, path: 'id' },
        { index: 0, path: 'time' },
        { index: 1, path: '' },
      ],
    });
  });

  test('the list of errors is bounded, the count is not', async () => {
    const answer = await server.post('/v1/events', json([event(1), ...Array.from({ length: 500 }, () => ({}))]));
    expect(answer.json<Counts>()).toMatchObject({ accepted: 1, rejected: 500 });
    expect(answer.json<Counts>().errors).toHaveLength(100);
  });

  test.each([
    ['a negative cost', { cost_usd: -1 }, 'cost_usd'],
    ['a number beyond 2^53', { tokens: { output: 2 ** 53 + 2 } }, 'tokens.output'],
  ])('%s is refused', async (_, fields, path) => {
    expect((await server.post('/v1/events', json(event(1, fields)))).json<Problem>().errors).toMatchObject([{ path }]);
  });

  test('times in the far past and future are accepted and flagged', async () => {
    await server.post(
      '/v1/events',
      json([event(1, { time: '0001-01-01T00:00:00Z' }), event(2, { time: '9999-12-31T23:59:59Z' })]),
    );
    expect(server.bus.rows(TOPIC).map((row) => cell(row, 'flags'))).toEqual([
      ['time_past', 'time_clamped'],
      ['time_future', 'time_clamped'],
    ]);
  });

  test('deep nesting, __proto__, NUL and lone surrogates do no harm', async () => {
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    const body = `{"source":"s","id":"deep","time":"${new Date().toISOString()}","x":${deep},"__proto__":{"org":"evil"},"user":"a\\u0000b","host":"\\ud800"}`;
    expect((await server.post('/v1/events', body)).json<Counts>()).toMatchObject({ accepted: 1, dropped_fields: 2 });
    const [row] = server.bus.rows(TOPIC);
    expect([cell(row!, 'org'), cell(row!, 'user'), cell(row!, 'host')]).toEqual(['', 'a\ufffdb', '\ufffd']);
  });

  test('a 10 MB field is cut at its limit', async () => {
    const big = await createTestServer({ bodyBytesMax: 16 * 1024 * 1024 });
    try {
      const answer = await big.post('/v1/events', json(event(1, { user: 'u'.repeat(10 * 1024 * 1024) })));
      expect(answer.json<Counts>()).toMatchObject({ accepted: 1 });
      const [row] = big.bus.rows(TOPIC);
      expect(String(cell(row!, 'user'))).toHaveLength(256);
      expect(cell(row!, 'flags')).toEqual(['truncated']);
    } finally {
      await big.app.close();
    }
  });

  test('SQL-looking texts are texts', async () => {
    const org = "'; DROP TABLE ledger; --";
    await server.post('/v1/events', json(event(1, { org })));
    expect(cell(server.bus.rows(TOPIC)[0]!, 'org')).toBe(org);
  });

  test('a raw secret in any field, known or not, is nowhere in bus, answer or log', async () => {
    const key = `sk-ant-api03-${'Zq7-'.repeat(23)}xyAA`;
    const fields = [
      'user',
      'org',
      'session',
      'repo',
      'model',
      'operation',
      'id',
      'source',
      'prompt',
      'time',
      'outcome',
    ];
    for (const field of fields) {
      const answer = await server.post('/v1/events', json(event(field, { [field]: `run ${key} now`, [key]: key })));
      expect(answer.body).not.toContain('Zq7-Zq7');
    }
    await server.post('/v1/events', json(event('c', { credential: { fingerprint: key, hint: key } })), {
      'x-tool': key,
    });
    await server.post(`/v1/events?key=${key}`, `{"broken": "${key}"`);
    await server.post(`/v1/${key}`, '{}');
    await server.post(
      '/v1/logs',
      fixture(
        new URL('formats/codex/x', import.meta.url).href,
        'v0.169.0-logs-tool_result-LEAKED-SECRET.http-json.json',
      ),
    );
    await server.post('/v1/events', '{}', { authorization: `Bearer ${key}` });
    const everything = json(server.bus.published.map(({ record }) => record.value.toString())) + server.logged();
    expect(everything).not.toContain('Zq7-Zq7');
    expect(everything).not.toContain('klmnopqrstuvwx');
    expect(everything).not.toContain(server.secret);
    expect(ids().length).toBeGreaterThan(fields.length - 4);
  });
});
