import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openBus, topicsOf } from '@lanewatch/ingest/contract';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { SESSION_COOKIE } from '../contract/index.ts';
import { dropDatabase, engineOf, openTestLedger, until } from './testing/harness.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const TOKEN = 'e'.repeat(64);
const DATABASE = `query_api_main_${randomBytes(6).toString('hex')}`;
const engine = engineOf(inject('clickhouseServer'));

let directory: string;
let running: ChildProcess | null = null;
let url: string;
let environment: Record<string, string>;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Starts the process and waits until it is ready. */
async function start(): Promise<ChildProcess> {
  const child = spawn(process.execPath, [MAIN], { env: { ...process.env, ...environment }, stdio: 'ignore' });
  running = child;
  await until(
    async () => {
      if (child.exitCode !== null) throw new Error(`query-api ended with ${child.exitCode}`);
      return fetch(`${url}/readyz`).then(
        ({ status }) => status,
        () => 0,
      );
    },
    (status) => status === 200,
    60_000,
  );
  return child;
}

describe('the process', () => {
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'lanewatch-query-api-main-'));
    const { url: clickhouseUrl, user, password } = engine;
    const ledger = await openTestLedger(engine, DATABASE);
    await ledger.close();
    await writeFile(join(directory, 'token'), TOKEN, { mode: 0o600 });
    await writeFile(join(directory, 'auth-secret'), randomBytes(32).toString('hex'), { mode: 0o600 });
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    environment = {
      QUERY_API_PORT: String(port),
      DATABASE_URL: `pglite:${join(directory, 'registry')}`,
      BUS_URL: `lmdb:${join(directory, 'bus')}`,
      CLICKHOUSE_URL: clickhouseUrl,
      CLICKHOUSE_USER: user,
      CLICKHOUSE_PASSWORD: password,
      CLICKHOUSE_DATABASE: DATABASE,
      CONTROL_TOKEN_FILE: join(directory, 'token'),
      AUTH_SECRET_FILE: join(directory, 'auth-secret'),
    };
  });
  afterEach(async () => {
    running?.kill('SIGKILL');
    await dropDatabase(engine, DATABASE);
    await rm(directory, { recursive: true, force: true });
  });

  test('after kill -9 registry, sessions and the topic are whole, and SIGTERM ends it cleanly', async () => {
    const first = await start();
    const bootstrap = await fetch(`${url}/internal/bootstrap`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      body: '{}',
    });
    const { sign_in_url: signInUrl, collector_key: collectorKey } = (await bootstrap.json()) as Record<string, string>;
    expect(collectorKey).toMatch(/^lw_dev_/);
    const link = new URL(signInUrl!).searchParams.get('link')!;
    const signedIn = await fetch(`${url}/sign-in?link=${link}`, { redirect: 'manual' });
    const cookie = signedIn.headers.getSetCookie()[0]!.split(';')[0]!;
    expect(cookie.startsWith(`${SESSION_COOKIE}=`)).toBe(true);

    // Many registrations in flight when the process dies: each that was answered must be there afterwards.
    const answered: string[] = [];
    const register = async (index: number): Promise<void> => {
      const fingerprint = index.toString(16).padStart(64, '0');
      const response = await fetch(`${url}/v1/credentials`, {
        method: 'POST',
        headers: { cookie, 'content-type': 'application/json' },
        body: JSON.stringify({ name: `key ${index}`, fingerprint }),
      });
      if (response.status === 201) answered.push(fingerprint);
    };
    const inFlight = Array.from({ length: 60 }, (_, index) => register(index).catch(() => undefined));
    await until(
      () => Promise.resolve(answered.length),
      (count) => count >= 5,
    );
    first.kill('SIGKILL');
    await once(first, 'exit');
    await Promise.all(inFlight);

    const second = await start();
    const list = await fetch(`${url}/v1/credentials?limit=500`, { headers: { cookie } });
    expect(list.status).toBe(200);
    const { items } = (await list.json()) as { items: { fingerprint: string }[] };
    const registered = items.map(({ fingerprint }) => fingerprint);
    expect(registered).toEqual(expect.arrayContaining(answered));

    // Whatever is in the registry is on the bus, answered or not.
    const bus = await openBus(environment['BUS_URL']!);
    const keys = new Set<string>();
    const view = await bus.followLatest(topicsOf('', 1).credentials.name, ({ key }) => void keys.add(key ?? ''));
    await until(
      async () => {
        await view.caughtUp();
        return registered.filter((fingerprint) => !keys.has(fingerprint));
      },
      (missing) => missing.length === 0,
    );
    await view.close();
    await bus.close();

    second.kill('SIGTERM');
    const [code] = (await once(second, 'exit')) as [number | null];
    expect(code).toBe(0);
  });
});

test('a configuration that can’t be used ends it with every problem in one message', async () => {
  const child = spawn(process.execPath, [MAIN, '--check-config'], { env: { PATH: process.env['PATH'] } });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const [code] = (await once(child, 'exit')) as [number];
  expect(code).toBe(2);
  for (const name of ['DATABASE_URL', 'BUS_URL', 'CLICKHOUSE_URL']) expect(said).toContain(name);
});
