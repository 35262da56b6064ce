import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodeStatus } from './formats/otlp/protobuf.ts';
import { fixture } from './testing/format-run.ts';
import { cell } from './testing/memory-bus.ts';
import { idsOn } from './testing/requests.ts';
import { createTestServer, type TestServer, TOPIC } from './testing/test-server.ts';

let server: TestServer;
beforeEach(async () => (server = await createTestServer()));
afterEach(() => server.app.close());

const PROTOBUF = { 'content-type': 'application/x-protobuf' };
const ids = () => idsOn(server);
const claude = (name: string) => fixture(new URL('formats/claude-code/x', import.meta.url).href, name);

describe('accepted', () => {
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

  test('a record that is refused is a partial success in OTLP', async () => {
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

describe('the content type of an OTLP answer', () => {
  test.each(['application/json', 'Application/JSON; charset=UTF-8'])(
    'is application/json without parameters for %s, of a success and of a refusal',
    async (type) => {
      const headers = { 'content-type': type };
      const accepted = await server.post('/v1/logs', '{}', headers);
      expect(accepted).toMatchObject({ status: 200, body: '{}', headers: { 'content-type': 'application/json' } });
      const refused = await server.post('/v1/logs', '[]', headers);
      expect(refused).toMatchObject({ status: 400, headers: { 'content-type': 'application/json' } });
    },
  );

  test('is that of the request for protobuf, also while ingest takes no events', async () => {
    await server.app.close();
    server = await createTestServer({ notReadyReason: () => 'starting' });
    expect(await server.post('/v1/logs', '', PROTOBUF)).toMatchObject({
      status: 503,
      headers: { ...PROTOBUF, 'retry-after': '1' },
    });
  });
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

test.each(['', 'nonsense', 'text/plain', 'application/json, application/json'])(
  'the content type %j is refused with those that are taken',
  async (type) => {
    const answer = await server.post('/v1/logs', '{}', { 'content-type': type });
    expect(answer.status).toBe(415);
    expect(answer.json<{ message: string }>().message).toContain('application/json, application/x-protobuf');
  },
);

describe('the path of an OTLP request', () => {
  test.each(['/v1/logs/', '//v1/logs', '//v1//logs/?x=1'])(
    '%s is that of logs, for other methods as well',
    async (path) => {
      expect(await server.post(path, '{}')).toMatchObject({ status: 200, body: '{}' });
      for (const method of ['GET', 'HEAD', 'OPTIONS'] as const) {
        const answer = await server.app.inject({ method, url: path });
        expect([answer.statusCode, answer.headers.allow]).toEqual([405, 'POST']);
      }
    },
  );
});

describe('over a real socket', () => {
  /** What comes back for these bytes until the answer is complete, which the connection's end tells. */
  async function answerTo(head: string[], body: string): Promise<string> {
    await server.app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = server.app.server.address() as AddressInfo;
    const lines = ['POST /v1/logs HTTP/1.1', 'host: x', `authorization: Bearer ${server.secret}`, 'connection: close'];
    return new Promise((resolve, reject) => {
      let text = '';
      const socket = connect(port, '127.0.0.1', () => socket.write([...lines, ...head, '', body].join('\r\n')));
      socket.on('data', (part) => (text += part.toString()));
      socket.on('end', () => resolve(text)).on('error', reject);
    });
  }

  test.each([
    ['of length 0', ['content-length: 0'], ''],
    ['without a length', [], ''],
    ['in no chunks', ['transfer-encoding: chunked'], '0\r\n\r\n'],
  ])('an empty protobuf body %s is an empty request', async (_, head, body) => {
    const answer = await answerTo(['content-type: application/x-protobuf', ...head], body);
    expect(answer).toMatch(/^HTTP\/1.1 200 OK\r\ncontent-type: application\/x-protobuf\r\n[\s\S]*\r\n\r\n$/);
  });

  test('a sender that waits for 100 Continue gets it, then the answer', async () => {
    const answer = await answerTo(
      ['content-type: application/json', 'expect: 100-continue', 'content-length: 2'],
      '{}',
    );
    expect(answer).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 OK\r\n[\s\S]*\r\n\r\n\{\}$/);
  });
});
