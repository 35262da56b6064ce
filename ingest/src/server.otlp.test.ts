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
