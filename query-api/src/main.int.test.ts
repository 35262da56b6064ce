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
import { credentialRecordSchema, openBus, topicsOf } from '@lanewatch/ingest/contract';
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

/** Starts the process and waits until it is ready, or as far as it can be. */
async function start(readiness = 200): Promise<ChildProcess> {
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
    (status) => status === readiness,
    60_000,
  );
  return child;
}

/** What a route for the program that starts this one answers. */
async function commanded(path: string): Promise<Record<string, string>> {
  const answer = await fetch(url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    body: '{}',
  });
  return (await answer.json()) as Record<string, string>;
}

/** The session cookie that a sign-in link is exchanged for. */
async function signIn({ sign_in_url: signInUrl }: Record<string, string>): Promise<string> {
  const link = new URL(signInUrl!).searchParams.get('link')!;
  const signedIn = await fetch(`${url}/sign-in?link=${link}`, { redirect: 'manual' });
  return signedIn.headers.getSetCookie()[0]!.split(';')[0]!;
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
    const bootstrap = await commanded('/internal/bootstrap');
    expect(bootstrap['collector_key']).toMatch(/^lw_dev_/);
    const cookie = await signIn(bootstrap);
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

  test('changes committed while the bus is away survive kill -9 before they were published: none lost, none reordered', async () => {
    // Kafka where nobody listens: what is committed can't be published, so the process dies exactly between the two.
    const bus = environment['BUS_URL']!;
    environment['BUS_URL'] = `kafka://127.0.0.1:${await freePort()}`;
    const first = await start(503);
    const cookie = await signIn(await commanded('/internal/sign-in-links'));
    const send = (method: string, path: string, body: object): Promise<Response> =>
      fetch(`${url}/v1/credentials${path}`, {
        ...{ method, body: JSON.stringify(body) },
        headers: { cookie, 'content-type': 'application/json' },
      });
    // Answers wait for the bus, so nobody waits for them; the list says what is committed.
    const ignored = (request: Promise<unknown>): void => void request.catch(() => undefined);
    const listed = async () => {
      const answer = await fetch(`${url}/v1/credentials`, { headers: { cookie } });
      return ((await answer.json()) as { items: { id: string; version: number; fingerprint: string }[] }).items;
    };
    for (let index = 0; index < 8; index++) {
      ignored(send('POST', '', { kind: 'managed', name: `Key number ${index}`, environment: 'sandbox' }));
    }
    const made = await until(listed, ({ length }) => length === 8);
    const reaches = (version: number) => until(listed, (items) => items.every((item) => item.version === version));
    for (const { id } of made) ignored(send('PATCH', `/${id}`, { version: 1, owner: 'ada@example.com' }));
    await reaches(2);
    for (const { id } of made) ignored(send('POST', `/${id}/rotate`, { grace_seconds: 3600 }));
    await reaches(3);
    for (const { id } of made) ignored(send('POST', `/${id}/revoke`, {}));
    await reaches(4);
    first.kill('SIGKILL');
    await once(first, 'exit');

    environment['BUS_URL'] = bus;
    const second = await start();
    const versions = new Map<string, number[]>();
    const reader = await openBus(bus);
    const view = await reader.followLatest(topicsOf('', 1).credentials.name, ({ key, value }) => {
      const { version } = credentialRecordSchema.parse(JSON.parse(value.toString('utf8')));
      versions.set(key ?? '', [...(versions.get(key ?? '') ?? []), version]);
    });
    await until(
      async () => {
        await view.caughtUp();
        return [...versions.values()].filter((seen) => seen.at(-1) === 4).length;
      },
      (revoked) => revoked === 16,
    );
    // Two secrets each, the first by creation and the second by the rotation. A compacted topic may leave out older records of a key.
    expect(made.every(({ fingerprint }) => versions.has(fingerprint))).toBe(true);
    for (const seen of versions.values()) expect(seen).toEqual(seen.toSorted((one, other) => one - other));
    await view.close();
    await reader.close();
    second.kill('SIGTERM');
    await once(second, 'exit');
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
