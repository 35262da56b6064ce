import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestServer } from '../../ingest/src/testing/test-server.ts';
import { SESSION_COOKIE } from '../../query-api/contract/index.ts';
import { startHarness, type Harness } from '../../query-api/src/testing/harness.ts';
import { visitorOf } from '../../query-api/src/testing/visitor.ts';
import { isThere } from '../analyst/fetched.ts';
import { startEmbeddedClickHouse, type EmbeddedClickHouse } from '../embedded/clickhouse/spawn.ts';
import { makeTempDir, removeDir } from '../testing/helpers.ts';
import { ask } from './schemathesis.ts';

const TIMEOUT_MS = 300_000;

type Documented = Record<string, { get: { responses: Record<number, { content?: object }> } }>;

let home: string;
let engine: EmbeddedClickHouse;
let api: Harness;
beforeAll(async () => {
  home = await makeTempDir();
  engine = await startEmbeddedClickHouse({ path: home });
  const { url, user, password, database, analystPassword } = engine;
  const analyst = { user: 'analyst', password: analystPassword };
  api = await startHarness({ engine: { url, user, password }, ledgerDatabase: database, analyst });
  const fingerprint = 'a'.repeat(64);
  await api.storeRows([{ fingerprint, lane: fingerprint, user: 'ada@example.com' }]);
});
afterAll(async () => {
  await api.close();
  await engine.kill();
  await removeDir(home);
});

async function listening(app: FastifyInstance): Promise<string> {
  return app.listen({ host: '127.0.0.1', port: 0 });
}

const hasPython = await isThere('python3', '--version');

test.skipIf(!hasPython)(
  'query-api answers an admin’s every kind of request with a status, a form and a schema that its OpenAPI names, and never with a fault',
  async () => {
    const url = await listening(api.app);
    expect(await ask(url, { Cookie: `${SESSION_COOKIE}=${api.cookie}` })).toBe('');
    const visitor = visitorOf(api.app);
    await visitor.ask('POST', '/v1/sign-in', { link: await api.services.accounts.createLink() });
    expect(await ask(url, { Cookie: `${SESSION_COOKIE}=${visitor.cookies.get(SESSION_COOKIE)}` }, '/v1/sign-out')).toBe(
      '',
    );
    // Streams don't end by themselves, so that only their beginning is looked at.
    const { paths } = (await (await fetch(`${url}/openapi.json`)).json()) as { paths: Documented };
    for (const path of ['/v1/changes', '/v1/stream']) {
      for (const [query, cookie] of [
        ['', api.cookie],
        ['?not=taken', api.cookie],
        ['', 'nobody'],
      ]) {
        const leaving = new AbortController();
        const headers = { Cookie: `${SESSION_COOKIE}=${cookie}` };
        const answer = await fetch(url + path + query, { headers, signal: leaving.signal });
        const documented = paths[path]!.get.responses[answer.status]?.content ?? {};
        expect(Object.keys(documented)).toContain(answer.headers.get('content-type')?.split(';', 1)[0]);
        leaving.abort();
      }
    }
  },
  TIMEOUT_MS,
);

test.skipIf(!hasPython)(
  'ingest answers a collector’s every kind of request with a status and a form that its OpenAPI names, and never with a fault',
  async () => {
    const { app, secret } = await createTestServer();
    const url = await listening(app);
    try {
      expect(await ask(url, { Authorization: `Bearer ${secret}` })).toBe('');
    } finally {
      await app.close();
    }
  },
  TIMEOUT_MS,
);
