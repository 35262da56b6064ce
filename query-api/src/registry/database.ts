import { mkdir } from 'node:fs/promises';
import { Kysely, PGliteDialect, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import type { Transaction } from 'kysely';
import type { RegistryTables } from './schema.ts';
import { joinable } from './together.ts';
import { tellingOutages } from './unavailable.ts';
import { registryUnusable } from './unusable.ts';

export type RegistryDatabase = Kysely<RegistryTables>;
export type RegistryTransaction = Transaction<RegistryTables>;

/** The registry's store: a Postgres server, or Postgres inside this process. */
export interface Database {
  readonly db: RegistryDatabase;
  /**
   * Runs `work` while no other process does so under the same number. False when somebody else holds it: then `work` did
   * not run. PGlite has one process by nature and always runs.
   */
  exclusively(lock: number, work: () => Promise<void>): Promise<boolean>;
  close(): Promise<void>;
}

/** Numbers of advisory locks. Any distinct values; they share the server's one space with nobody else. */
export const LOCKS = {
  migrations: 46_100_001,
  registry: 46_100_002,
  publisher: 46_100_003,
  findings: 46_100_004,
  notifier: 46_100_005,
  /** Begins a range: a job adds the CRC-32 of its id. */
  jobs: 46_200_000_000,
} as const;

const CONNECT_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 15_000;
/** The server ends a statement first. This is for a connection that nothing comes back on, such as behind a dead network. */
const QUERY_TIMEOUT_MS = STATEMENT_TIMEOUT_MS + 3_000;
const CONNECTIONS_MAX = 10;

/**
 * Opens the registry's store, and makes sure that it can be used. A server that goes away later, or is too busy to answer in time,
 * makes queries fail with RegistryUnavailableError.
 * @param url `postgres://…` or `pglite:/directory`
 * @param onFault told when a connection breaks, idle or in use; the pool replaces it by itself
 * @throws RegistryUnusableError when a server does not let us in
 */
export async function openDatabase(
  url: string,
  onFault: (error: unknown) => void = () => undefined,
): Promise<Database> {
  if (url.startsWith('pglite:')) return openPglite(url.slice('pglite:'.length));
  const pool = await openPool(url, onFault);
  const inner = new Kysely<RegistryTables>({ dialect: new PostgresDialect({ pool: tellingOutages(pool) }) });
  const db = joinable(inner);
  return {
    db,
    close: () => db.destroy(),
    exclusively: (lock, work) =>
      // One connection of the server's own: the lock is that connection's.
      inner.connection().execute(async (connection) => {
        const held = await sql<{ locked: boolean }>`SELECT pg_try_advisory_lock(${lock}) AS locked`.execute(connection);
        if (held.rows[0]?.locked !== true) return false;
        try {
          await work();
        } finally {
          await sql`SELECT pg_advisory_unlock(${lock})`.execute(connection);
        }
        return true;
      }),
  };
}

async function openPool(url: string, onFault: (error: unknown) => void): Promise<pg.Pool> {
  let pool: pg.Pool | undefined;
  try {
    pool = new pg.Pool({
      connectionString: url,
      max: CONNECTIONS_MAX,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      query_timeout: QUERY_TIMEOUT_MS,
      application_name: 'lanewatch-query-api',
    });
    // The pool listens to idle connections only, and nobody to one in use: its error would end the process.
    pool.on('connect', (client) => client.on('error', onFault));
    pool.on('error', () => undefined);
    await pool.query('SELECT 1');
    return pool;
  } catch (error) {
    await pool?.end();
    throw registryUnusable(error, url);
  }
}

async function openPglite(directory: string): Promise<Database> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  // Only here: an installation on servers comes without it.
  const { PGlite } = await import('@electric-sql/pglite');
  const pglite = await PGlite.create(directory);
  const db = joinable(new Kysely<RegistryTables>({ dialect: new PGliteDialect({ pglite }) }));
  return {
    db,
    exclusively: async (_lock, work) => {
      await work();
      return true;
    },
    // kysely closes PGlite only once a query ran through it.
    close: async () => {
      await db.destroy();
      if (!pglite.closed) await pglite.close();
    },
  };
}
