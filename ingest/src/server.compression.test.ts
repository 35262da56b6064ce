import type { AddressInfo } from 'node:net';
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Counts, event, idsOn, json, type Problem } from './testing/requests.ts';
import { createTestServer, type TestServer } from './testing/test-server.ts';

let server: TestServer;
beforeEach(async () => (server = await createTestServer()));
afterEach(() => server.app.close());

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
  expect(idsOn(server)).toEqual([]);
});

test('a zstd body of ever so many frames is refused', async () => {
  const body = Buffer.concat(Array.from({ length: 1_001 }, () => zstdCompressSync('')));
  const answer = await server.post('/v1/events', body, { 'content-encoding': 'zstd' });
  expect(answer.status).toBe(413);
  expect(answer.json<Problem>().detail).toContain('1000 zstd frames');
});
