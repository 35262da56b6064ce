import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect, type Socket } from 'node:net';
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FORMATS } from './formats/index.ts';
import { encodeStatus } from './formats/otlp/protobuf.ts';
import { EVENTS_PER_BODY_MAX } from './receive.ts';
import { fixture } from './testing/format-run.ts';
import { cell } from './testing/memory-bus.ts';
import {
  COLLECTOR_ID,
  collectorRecord,
  createTestServer,
  newSecret,
  type TestServer,
  TOPIC,
} from './testing/test-server.ts';

interface Problem {
  type: string;
  status: number;
  detail: string;
  errors: { index?: number; path: string; message: string }[];
  request_id: string;
}
interface Counts {
  accepted: number;
  rejected: number;
  ignored: number;
  dropped_fields: number;
  redacted: number;
  errors: Problem['errors'];
}

let server: TestServer;
beforeEach(async () => (server = await createTestServer()));
afterEach(() => server.app.close());

const event = (id: string | number, more: Record<string, unknown> = {}) => ({
  source: 's',
  id: String(id),
  time: new Date().toISOString(),
  ...more,
});
const json = (value: unknown) => JSON.stringify(value);
const NDJSON = { 'content-type': 'application/x-ndjson' };
const ids = () => server.bus.rows(TOPIC).map((row) => cell(row, 'id'));
const claude = (name: string) => fixture(new URL('formats/claude-code/x', import.meta.url).href, name);

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

  test.each([
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
  ])('a body of several %s parts in a row is taken whole, wherever the network cuts it', async (encoding, compress) => {
    const parts = [1, 2, 3].map((id) => compress(Buffer.from(`${json(event(id))}\n`)));
    const body = Buffer.concat(parts);
    const headers = { 'content-encoding': encoding, 'content-type': 'application/x-ndjson' };
    expect((await server.post('/v1/events', body, headers)).json<Counts>()).toMatchObject({ accepted: 3 });
    await server.app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = server.app.server.address() as AddressInfo;
    const pieces = async function* () {
      for (let at = 0; at < body.length; at += 7) {
        await new Promise(setImmediate);
        yield body.subarray(at, at + 7);
      }
    };
    const answer = await fetch(`http://127.0.0.1:${port}/v1/events`, {
      method: 'POST',
      headers: { ...headers, authorization: `Bearer ${server.secret}` },
      body: pieces(),
      duplex: 'half',
    });
    expect(await answer.json()).toMatchObject({ accepted: 3, rejected: 0 });
  });

  test.each([
    ['deflate', deflateSync],
    ['zstd', zstdCompressSync],
  ])('what follows %s data and is none is refused, not lost', async (encoding, compress) => {
    const body = Buffer.concat([compress(Buffer.from(json(event(1)))), Buffer.from('more')]);
    expect((await server.post('/v1/events', body, { 'content-encoding': encoding })).status).toBe(400);
    expect(ids()).toEqual([]);
  });

  test('a zstd body of ever so many frames is refused', async () => {
    const body = Buffer.concat(Array.from({ length: 1_001 }, () => zstdCompressSync('')));
    const answer = await server.post('/v1/events', body, { 'content-encoding': 'zstd' });
    expect(answer.status).toBe(413);
    expect(answer.json<Problem>().detail).toContain('1000 zstd frames');
  });

  test('Claude Code in JSON, protobuf and gzip, each answered in its own content type', async () => {
    const plain = await server.post('/v1/logs', claude('v2.1.197-logs-api_request.http-json.json'));
    expect(plain).toMatchObject({ status: 200, body: '{}' });
    const protobuf = await server.post('/v1/logs', claude('v2.1.197-logs.http-protobuf.pb'), {
      'content-type': 'application/x-protobuf',
    });
    expect(protobuf).toMatchObject({ status: 200, body: '', headers: { 'content-type': 'application/x-protobuf' } });
    const packed = gzipSync(claude('v2.1.197-logs-api_error-401.http-json.json'));
    expect(await server.post('/v1/logs', packed, { 'content-encoding': 'gzip' })).toMatchObject({
      status: 200,
      body: '{}',
    });
    expect(
      server.bus.rows(TOPIC).map((row) => [cell(row, 'model'), cell(row, 'cost_nano_usd'), cell(row, 'outcome')]),
    ).toEqual([
      ['claude-sonnet-4-5', 5_700_000, 'success'],
      ['claude-sonnet-4-5', 5_700_000, 'success'],
      ['claude-sonnet-4-5', 0, 'denied'],
    ]);
    expect(server.tallied[0]).toMatchObject({ accepted: 1, ignored: 2 });
  });

  test('OTLP metrics and traces are taken, counted, and not stored', async () => {
    expect(await server.post('/v1/metrics', claude('v2.1.197-metrics-delta.http-json.json'))).toMatchObject({
      status: 200,
      body: '{}',
    });
    expect(await server.post('/v1/traces', '{"resourceSpans":[]}')).toMatchObject({ status: 200, body: '{}' });
    expect(server.tallied[0]!.ignored).toBeGreaterThan(3);
    expect(ids()).toEqual([]);
  });

  test('a record that is refused is a partial success in OTLP, in both content types', async () => {
    const body = claude('v2.1.197-logs-api_request.http-json.json')
      .toString()
      .replace('"intValue":25', '"intValue":-25');
    expect((await server.post('/v1/logs', body)).json()).toEqual({
      partialSuccess: {
        rejectedLogRecords: '1',
        errorMessage: expect.stringMatching(/^record 1: tokens.input_uncached must be/) as string,
      },
    });
    expect(server.tallied).toMatchObject([{ accepted: 0, rejected: 1, ignored: 2 }]);
  });
});

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
    const user = "'; DROP TABLE ledger; --";
    await server.post('/v1/events', json(event(1, { user })));
    expect(cell(server.bus.rows(TOPIC)[0]!, 'user')).toBe(user);
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
        new URL('formats/otlp/x', import.meta.url).href,
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

  test('OTLP refusals are google.rpc.Status in the content type of the request', async () => {
    expect((await server.post('/v1/logs', '{')).json()).toEqual({
      code: 3,
      message: expect.stringContaining('line 1, column 2') as string,
    });
    const protobuf = await server.app.inject({
      method: 'POST',
      url: '/v1/traces',
      headers: { 'content-type': 'application/x-protobuf' },
      payload: 'x',
    });
    expect(protobuf.statusCode).toBe(401);
    expect(protobuf.headers['content-type']).toBe('application/x-protobuf');
    expect(protobuf.rawPayload.subarray(0, 2)).toEqual(encodeStatus(16, '').subarray(0, 2));
  });
});

describe('over a real socket', () => {
  /** Sends chunk after chunk without a declared length, as Claude Code does, and returns status and bytes that were sent. */
  async function stream(headers: Record<string, string>, chunk: Buffer, chunksMax: number) {
    await server.app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = server.app.server.address() as AddressInfo;
    return await new Promise<{ status: number; body: string }>((resolve, reject) => {
      const sending = request({
        // Without an agent the connection ends with the answer, and the server need not wait for it.
        agent: false,
        port,
        method: 'POST',
        path: '/v1/events',
        headers: { authorization: `Bearer ${server.secret}`, 'content-type': 'application/json', ...headers },
      });
      let sent = 0;
      let answered = false;
      sending.on('response', (response) => {
        answered = true;
        let body = '';
        response.on('data', (part: Buffer) => (body += part.toString()));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
        sending.end();
      });
      sending.on('error', reject);
      const next = () => {
        if (answered) return;
        if (sent++ < chunksMax) sending.write(chunk, next);
        else sending.end();
      };
      next();
    });
  }

  test('an endless body is refused at the limit and the answer arrives', async () => {
    expect(await stream({}, Buffer.alloc(64 * 1024, 0x20), 400)).toMatchObject({ status: 413 });
  });

  test.each([
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
  ])('a %s bomb is refused without being unpacked whole', async (encoding, compress) => {
    const bomb = compress(Buffer.alloc(256 * 1024 * 1024, 0x20));
    expect(bomb.length).toBeLessThan(300_000);
    const before = process.memoryUsage.rss();
    const answer = await stream({ 'content-encoding': encoding }, bomb, 1);
    expect(answer.status).toBe(413);
    expect(process.memoryUsage.rss() - before).toBeLessThan(64 * 1024 * 1024);
  });

  test('what is not HTTP is answered with a problem and closed', async () => {
    await server.app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = server.app.server.address() as AddressInfo;
    const answer = await new Promise<string>((resolve, reject) => {
      let text = '';
      const socket = connect(port, '127.0.0.1', () => socket.write('HELLO\r\n\r\n'));
      socket.on('data', (part) => (text += part.toString()));
      socket.on('end', () => resolve(text)).on('error', reject);
    });
    expect(answer).toMatch(/^HTTP\/1.1 400 [\s\S]*urn:lanewatch:problem:bad_request/);
  });

  test('a request that takes too long is answered with 408 and closed', async () => {
    await server.app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = server.app.server.address() as AddressInfo;
    // What Node does when its time-out for a request has passed; it looks only every half minute.
    server.app.server.once('connection', (socket: Socket) => {
      socket.once('data', () => {
        const late = Object.assign(new Error('Request timeout'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });
        server.app.server.emit('clientError', late, socket);
      });
    });
    const answer = await new Promise<string>((resolve, reject) => {
      let text = '';
      const socket = connect(port, '127.0.0.1', () => socket.write('POST /v1/events HTTP/1.1\r\nhost: x\r\n'));
      socket.on('data', (part) => (text += part.toString()));
      socket.on('end', () => resolve(text)).on('error', reject);
    });
    expect(answer).toMatch(/^HTTP\/1.1 408 Request Timeout\r\n[\s\S]*urn:lanewatch:problem:request_timeout/);
    expect(answer).toContain('"status":408');
  });

  test('a sender that leaves in mid-body leaves nothing behind', async () => {
    await server.app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = server.app.server.address() as AddressInfo;
    for (const encoding of ['identity', 'gzip']) {
      await new Promise<void>((resolve) => {
        const socket = connect(port, '127.0.0.1', () => {
          socket.write(
            `POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${server.secret}\r\ncontent-type: application/json\r\ncontent-encoding: ${encoding}\r\ncontent-length: 1000\r\n\r\n[{}`,
          );
          setImmediate(() => socket.destroy());
        });
        socket.on('close', () => resolve());
      });
    }
    await expect
      .poll(async () => (await server.app.inject('/metrics')).body)
      .toMatch(/lanewatch_ingest_inflight_bytes 0/);
    expect(ids()).toEqual([]);
  });
});

describe('who may send', () => {
  const attempt = async (change: Parameters<typeof collectorRecord>[1], headers: Record<string, string> = {}) => {
    const secret = newSecret();
    server.credentials.apply({ key: null, value: Buffer.from(json(collectorRecord(secret, change))) });
    return server.post('/v1/events', json(event(1)), { authorization: `Bearer ${secret}`, ...headers });
  };

  test('no key, another scheme and an unknown key are 401 with a challenge', async () => {
    for (const authorization of ['', 'Basic abc', 'Bearer', `Bearer ${newSecret()}`, `Bearer ${'x'.repeat(10_000)}`]) {
      const answer = await server.post('/v1/events', json(event(1)), { authorization });
      expect(answer).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer realm="lanewatch"' } });
    }
  });

  test('the key may come in x-api-key', async () => {
    const answer = await server.post('/v1/events', json(event(1)), { authorization: '', 'x-api-key': server.secret });
    expect(answer.status).toBe(200);
  });

  test.each([
    [{ status: 'revoked' as const }, /was revoked/],
    [{ revoked_at: '2026-01-01T00:00:00Z' }, /was revoked/],
    [{ status: 'expired' as const }, /has expired/],
    [{ expires_at: '2026-01-01T00:00:00Z' }, /has expired/],
    [{ scopes: [] }, /no scope write/],
    [{ scopes: [{ action: 'read' as const, resource: '*' }] }, /no scope write/],
    [{ scopes: [{ action: 'write' as const, resource: 'ledger' }] }, /no scope write/],
    [{ allowed_cidrs: ['10.0.0.0/8'] }, /address/],
    [{ allowed_cidrs: ['::/0'] }, /address/],
    [{ allowed_cidrs: ['10.0.0.0/99', 'nonsense'] }, /address/],
  ])('%o is 403 with the reason', async (change, reason) => {
    const answer = await attempt(change);
    expect(answer.status).toBe(403);
    expect(answer.json<Problem>().detail).toMatch(reason);
    expect(ids()).toEqual([]);
  });

  test.each([
    { status: 'revoked' as const, grace_ends_at: '2999-01-01T00:00:00Z' },
    { expires_at: '2999-01-01T00:00:00Z' },
    { scopes: [{ action: 'admin' as const, resource: '*' }] },
    { scopes: [{ action: '*' as const, resource: 'usage-*' }] },
    { allowed_cidrs: ['127.0.0.0/8'] },
    { allowed_cidrs: ['::1', '127.0.0.1'] },
  ])('%o may send', async (change) => {
    expect((await attempt(change)).status).toBe(200);
  });

  test('a provider key that is only registered cannot authenticate', async () => {
    expect((await attempt({ kind: 'registered' })).status).toBe(401);
  });

  test('an older record does not undo a newer one, a tombstone removes the key', async () => {
    const secret = newSecret();
    const apply = (version: number, status: 'active' | 'revoked') =>
      server.credentials.apply({ key: null, value: Buffer.from(json(collectorRecord(secret, { version, status }))) });
    const status = async () => (await server.post('/v1/events', '[]', { authorization: `Bearer ${secret}` })).status;
    apply(2, 'revoked');
    apply(1, 'active');
    expect(await status()).toBe(403);
    apply(3, 'active');
    expect(await status()).toBe(200);
    server.credentials.apply({ key: collectorRecord(secret).fingerprint, value: Buffer.alloc(0) });
    expect(await status()).toBe(401);
  });

  test('a forwarded address counts only from a proxy that is trusted', async () => {
    const change = { allowed_cidrs: ['10.0.0.0/8'] };
    const headers = { 'x-forwarded-for': '10.1.2.3' };
    expect((await attempt(change, headers)).status).toBe(403);
    await server.app.close();
    server = await createTestServer({ trustedProxies: ['127.0.0.1'] });
    expect((await attempt(change, headers)).status).toBe(200);
    expect((await attempt(change, { 'x-forwarded-for': '::ffff:10.1.2.3' })).status).toBe(200);
    // The first address is what the sender claims; the last untrusted one is what the proxy saw.
    expect((await attempt(change, { 'x-forwarded-for': '10.1.2.3, 192.0.2.1' })).status).toBe(403);
  });

  test('before credentials are known every sender is told to come again, and readiness says why', async () => {
    await server.app.close();
    server = await createTestServer({ notReadyReason: () => 'still reading' });
    expect(await server.post('/v1/events', '[]')).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
    const ready = await server.app.inject('/readyz');
    expect([ready.statusCode, ready.json()]).toEqual([503, { ready: false, reason: 'still reading' }]);
    expect((await server.app.inject('/healthz')).statusCode).toBe(200);
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

  test('metrics count by collector and format', async () => {
    await server.post('/v1/events', json(event(1)));
    const { body } = await server.app.inject('/metrics');
    expect(body).toContain(
      `lanewatch_ingest_events_total{collector="${COLLECTOR_ID}",format="events",result="accepted"} 1`,
    );
  });
});
