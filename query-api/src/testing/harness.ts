import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openBus } from '@lanewatch/ingest/contract';
import type { Bus } from '@lanewatch/ingest/contract';
import type { FastifyInstance } from 'fastify';
import { sql } from 'kysely';
import { pino } from 'pino';
import { inject } from 'vitest';
// Tests prepare the ledger with its owner's own code: a copy of the schema here would drift.
import { openLedger } from '../../../detector/src/ledger/open.ts';
import type { Ledger } from '../../../detector/src/ledger/ledger.ts';
import type { ClickHouseServer } from '../../../deploy/testing/clickhouse-part.ts';
import { SESSION_COOKIE } from '../../contract/index.ts';
import { openClickHouse } from '../clickhouse.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { loadConfig } from '../config.ts';
import type { Config } from '../config.ts';
import { openDatabase } from '../registry/database.ts';
import type { Database } from '../registry/database.ts';
import { createServer } from '../server.ts';
import { startServices } from '../services/services.ts';
import type { Services } from '../services/services.ts';
import type { Finding, LedgerRow } from '@lanewatch/detector/contract';
import { ledgerRow } from './ledger-row.ts';
import { copyOfRegistry } from './registry-template.ts';

/** The ClickHouse that the run provides (`inject('clickhouseServer')`). Without one nothing here can be tested. */
export function engineOf(server: ClickHouseServer | null): ClickHouseServer {
  if (server === null) throw new Error('These tests need ClickHouse; the run says above why there is none.');
  return server;
}

/** Opens a ledger database as the detector does. */
export function openTestLedger(engine: ClickHouseServer, database: string): Promise<Ledger> {
  const { url, user, password } = engine;
  return openLedger({
    ...{ url, user, password, database },
    engine: 'MergeTree',
    fsync: false,
    insertTimeoutMs: 20_000,
  });
}

/** Registries to run the same tests on: PGlite always, Postgres when the run provides one (`inject('postgresUrl')`). */
export function registryTargets(server: string | null): [name: string, open: () => Promise<RegistryTarget>][] {
  const targets: [string, () => Promise<RegistryTarget>][] = [
    ['PGlite', () => copyOfRegistry(inject('registryTemplate'))],
  ];
  if (server !== null) targets.push(['Postgres', () => createPostgresDatabase(server)]);
  return targets;
}

export interface RegistryTarget {
  url: string;
  drop(): Promise<void>;
}

/** A database of its own on a server. */
export async function createPostgresDatabase(server: string): Promise<RegistryTarget> {
  const name = `lanewatch_test_${randomBytes(6).toString('hex')}`;
  const run = async (statement: string): Promise<void> => {
    const admin = await openDatabase(server);
    await sql.raw(statement).execute(admin.db);
    await admin.close();
  };
  await run(`CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => run(`DROP DATABASE ${name} WITH (FORCE)`) };
}

export const CONTROL_TOKEN = 'c'.repeat(64);

export interface Answer {
  status: number;
  // Tests read answers freely; what they claim is checked by their expectations.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  body: any;
  headers: Record<string, unknown>;
}

/** A whole query-api over real stores, signed in. */
export interface Harness {
  app: FastifyInstance;
  config: Config;
  services: Services;
  store: ClickHouse;
  database: Database;
  bus: Bus;
  ledger: Ledger;
  /** What the process logged, one JSON text per line. */
  logged: string[];
  cookie: string;
  /** Every registered route, as `METHOD /path`. */
  routes: string[];
  get(path: string, query?: Record<string, string | string[]>): Promise<Answer>;
  post(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  patch(path: string, body: unknown): Promise<Answer>;
  put(path: string, body: unknown): Promise<Answer>;
  /** Makes every session older by so many hours, as if they had passed: the library's clock can't be set. */
  ageSessions(hours: number): Promise<void>;
  /** Stores rows as the detector does, one batch. */
  storeRows(rows: Partial<LedgerRow>[]): Promise<void>;
  /** Writes findings as the detector does. */
  storeFindings(findings: Finding[]): Promise<void>;
  close(): Promise<void>;
}

export interface HarnessOptions {
  engine: ClickHouseServer;
  registry?: RegistryTarget;
  bus?: Bus;
  /** Where reads go instead of the engine, such as a port where nothing listens. */
  storeUrl?: string;
  now?: () => number;
  oidc?: Config['oidc'];
  /** Name of the ledger's database, where it matters; random otherwise. */
  ledgerDatabase?: string;
  /** Who runs SQL; without it there is no SQL desk. */
  analyst?: { user: string; password: string };
  notify?: Config['notify'];
  imports?: Config['imports'];
}

/** Who the harness writes to the ledger as. */
const CLAIMANT = 'test';

/** Starts a server on a ledger database, registry and bus of its own. */
export async function startHarness(options: HarnessOptions): Promise<Harness> {
  const { engine } = options;
  const directory = await mkdtemp(join(tmpdir(), 'lanewatch-query-api-'));
  const registry = options.registry ?? (await copyOfRegistry(inject('registryTemplate')));
  const databaseName = options.ledgerDatabase ?? `t_${randomBytes(6).toString('hex')}`;
  const { url, user, password } = engine;
  const ledger = await openTestLedger(engine, databaseName);
  await ledger.claim([0], CLAIMANT);
  const authSecret = join(directory, 'auth-secret');
  await writeFile(authSecret, randomBytes(32).toString('hex'), { mode: 0o600 });
  const config: Config = {
    ...loadConfig({
      AUTH_SECRET_FILE: authSecret,
      DATABASE_URL: registry.url,
      BUS_URL: `lmdb:${join(directory, 'bus')}`,
      CLICKHOUSE_URL: url,
      CLICKHOUSE_USER: user,
      CLICKHOUSE_PASSWORD: password,
      CLICKHOUSE_DATABASE: databaseName,
    }),
    controlToken: CONTROL_TOKEN,
    oidc: options.oidc ?? null,
    analyst: options.analyst === undefined ? null : { url, database: databaseName, ...options.analyst },
    ...(options.notify === undefined ? {} : { notify: options.notify }),
    ...(options.imports === undefined ? {} : { imports: options.imports }),
  };
  const logged: string[] = [];
  const logger = pino({ level: 'trace' }, { write: (line: string) => void logged.push(line) });
  const store = openClickHouse({ ...config.clickhouse, url: options.storeUrl ?? url });
  const database = await openDatabase(config.databaseUrl);
  const bus = options.bus ?? (await openBus(config.busUrl));
  const services = await startServices({
    ...{ config, logger, store, database, bus },
    readsKeptMs: 0,
    notifyEveryMs: 0,
    lastUsesKeptMs: 0,
    busLookMs: 20,
    // Tests move time and tick by themselves.
    runsJobs: false,
    ...(options.now === undefined ? {} : { now: options.now }),
  });
  await until(
    () => services.notReady(),
    (missing) => missing.every((name) => name === 'clickhouse' && options.storeUrl !== undefined),
  );
  const routes: string[] = [];
  const app = await createServer(services, logger, ({ method, url }) => {
    for (const name of [method].flat()) if (name !== 'HEAD') routes.push(`${name} ${url}`);
  });
  const signIn = await app.inject({
    method: 'POST',
    url: '/v1/sign-in',
    payload: { link: await services.accounts.createLink() },
  });
  const cookie = signIn.cookies.find(({ name }) => name === SESSION_COOKIE)?.value ?? '';
  let offset = 0;

  const answerOf = (response: { statusCode: number; body: string; headers: object }): Answer => ({
    status: response.statusCode,
    body: parsed(response.body),
    headers: { ...response.headers },
  });
  async function change(
    method: 'POST' | 'PATCH' | 'PUT',
    url: string,
    body: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const all = { 'content-type': 'application/json', ...headers };
    const cookies = { [SESSION_COOKIE]: cookie };
    return answerOf(await app.inject({ method, url, payload: JSON.stringify(body), headers: all, cookies }));
  }
  return {
    ...{ app, config, services, store, database, bus, ledger, logged, cookie, routes },
    async get(path, query = {}) {
      const search = new URLSearchParams(
        Object.entries(query).flatMap(([name, value]) => [value].flat().map((one): [string, string] => [name, one])),
      );
      const target = search.size === 0 ? path : `${path}?${search.toString()}`;
      return answerOf(await app.inject({ method: 'GET', url: target, cookies: { [SESSION_COOKIE]: cookie } }));
    },
    post: (path, body = {}, headers = {}) => change('POST', path, body, headers),
    patch: (path, body) => change('PATCH', path, body),
    put: (path, body) => change('PUT', path, body),
    async ageSessions(hours) {
      const by = sql`make_interval(hours => ${hours}::integer)`;
      const columns = ['created_at', 'updated_at', 'expires_at'].map(
        (name) => sql`${sql.ref(name)} = ${sql.ref(name)} - ${by}`,
      );
      await sql`UPDATE sessions SET ${sql.join(columns)}`.execute(database.db);
    },
    storeFindings: (findings) =>
      ledger.writeFindings(
        findings.map((finding) => ({ finding, partition: 0 })),
        CLAIMANT,
      ),
    async storeRows(rows) {
      const block = ledger.newBlock();
      for (const row of rows) block.add(ledgerRow({ kafka_offset: offset++, ...row }));
      block.seal(Date.now());
      await ledger.insert(block, CLAIMANT);
    },
    async close() {
      await app.close();
      await services.close();
      await Promise.allSettled([bus.close(), database.close()]);
      await ledger.close();
      // The store has no command of its own: it only reads.
      await dropDatabase(engine, databaseName);
      await store.close();
      await registry.drop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return body;
  }
}

export async function dropDatabase(engine: ClickHouseServer, name: string): Promise<void> {
  await fetch(engine.url, {
    method: 'POST',
    headers: { 'x-clickhouse-user': engine.user, 'x-clickhouse-key': engine.password },
    body: `DROP DATABASE IF EXISTS ${name}`,
  });
}

/** Polls until the answer is wanted; throws with the last answer when it is not in time. */
export async function until<T>(ask: () => Promise<T>, wanted: (answer: T) => boolean, timeoutMs = 20_000): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (wanted(answer)) return answer;
    if (Date.now() > deadline) throw new Error(`not in time; the last answer was ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
