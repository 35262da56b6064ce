import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createTestServer, type TestServer } from './testing/test-server.ts';

let server: TestServer;
beforeEach(async () => (server = await createTestServer()));
afterEach(() => server.app.close());

const PROTOBUF = { 'content-type': 'application/x-protobuf' };

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
