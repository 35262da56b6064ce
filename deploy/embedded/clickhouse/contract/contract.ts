import { randomUUID } from 'node:crypto';

import { ClickHouseError, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { ClickHouseClient } from '@clickhouse/client';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';

/** Something that speaks ClickHouse's HTTP interface. */
export type Target = {
  url: string;
  user: string;
  password: string;
  /** What a dictionary inside the engine signs in with; the embedded engine checks passwords at its door only. */
  innerPassword: string;
  stop(): Promise<void>;
};

/** What the parts of the contract have in common: one target, and for each test a database and a client of its own. */
export type Contract = {
  readonly target: Target;
  readonly database: string;
  readonly client: ClickHouseClient;
  /** Another client, in the test's database unless the options name one. */
  open(options?: Parameters<typeof createClient>[0]): ClickHouseClient;
  rows<T>(query: string, options?: object): Promise<T[]>;
  count(table: string): Promise<number>;
  post(search: Record<string, string>, body: string | Buffer, headers?: Record<string, string>): Promise<Response>;
};

/** Starts the target once for the `describe` that calls this. */
export function useContract(start: () => Promise<Target>): Contract {
  let target: Target;
  let client: ClickHouseClient;
  let admin: ClickHouseClient;
  let database: string;

  const open: Contract['open'] = (options = {}) =>
    createClient({
      url: target.url,
      username: target.user,
      password: target.password,
      database,
      log: { level: ClickHouseLogLevel.OFF },
      max_open_connections: 30,
      ...options,
    });
  const rows = async <T>(query: string, options: object = {}): Promise<T[]> =>
    await (await client.query({ query, format: 'JSONEachRow', ...options })).json<T>();

  beforeAll(async () => {
    target = await start();
    database = 'default';
    admin = open();
  });
  afterAll(async () => {
    await admin.close();
    await target.stop();
  });
  beforeEach(async () => {
    database = `contract_${randomUUID().replaceAll('-', '')}`;
    await admin.command({ query: `CREATE DATABASE ${database}` });
    client = open();
  });
  afterEach(async () => {
    await client.close();
    await admin.command({ query: `DROP DATABASE ${database} SYNC` });
  });

  return {
    get target() {
      return target;
    },
    get database() {
      return database;
    },
    get client() {
      return client;
    },
    open,
    rows,
    count: async (table) => Number((await rows<{ n: string }>(`SELECT count() AS n FROM ${table}`))[0]!.n),
    async post(search, body, headers = {}) {
      const url = new URL(target.url);
      url.search = new URLSearchParams({ database, ...search }).toString();
      const data = typeof body === 'string' ? body : new Uint8Array(body);
      return await fetch(url, {
        method: 'POST',
        body: data,
        headers: { 'X-ClickHouse-User': target.user, 'X-ClickHouse-Key': target.password, ...headers },
      });
    },
  };
}

/** The error that a request is answered with; throws when it is answered otherwise. */
export async function failure(promise: Promise<unknown>): Promise<ClickHouseError> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ClickHouseError)) throw new Error(`expected a ClickHouseError, got ${String(error)}`);
  return error;
}
