import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createPostgresDatabase, until } from '../testing/harness.ts';
import type { RegistryTarget } from '../testing/harness.ts';
import { startProxy } from '../testing/proxy.ts';
import { LOCKS, openDatabase } from './database.ts';
import { RegistryUnavailableError } from './unavailable.ts';

const server = inject('postgresUrl');
// PGlite is inside of the process: it can't be away.
describe.skipIf(server === null)('a Postgres that goes away', () => {
  let target: RegistryTarget;
  beforeAll(async () => {
    target = await createPostgresDatabase(server!);
  });
  afterAll(() => target.drop());

  test('a connection that is ended while it is in use fails the work on it, and the next one works', async () => {
    const faults: unknown[] = [];
    const { db, exclusively, close } = await openDatabase(target.url, (error) => faults.push(error));
    const held = exclusively(LOCKS.publisher, async () => {
      await sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()`.execute(db);
      await until(
        () => Promise.resolve(faults.length),
        (count) => count > 0,
      );
    });
    await expect(held).rejects.toBeInstanceOf(RegistryUnavailableError);
    const inTransaction = db.transaction().execute(async (transaction) => {
      const own = await sql<{ pid: number }>`SELECT pg_backend_pid() AS pid`.execute(transaction);
      await sql`SELECT pg_terminate_backend(${own.rows[0]!.pid})`.execute(db);
      await sql`SELECT pg_sleep(30)`.execute(transaction);
    });
    await expect(inTransaction).rejects.toBeInstanceOf(RegistryUnavailableError);
    expect(await exclusively(LOCKS.publisher, () => Promise.resolve())).toBe(true);
    await close();
  });

  test('a statement that takes too long is an outage, a statement that is wrong is not', async () => {
    const { db, close } = await openDatabase(`${target.url}?statement_timeout=50`);
    await expect(sql`SELECT pg_sleep(30)`.execute(db)).rejects.toBeInstanceOf(RegistryUnavailableError);
    await expect(sql`SELECT nothing`.execute(db)).rejects.not.toBeInstanceOf(RegistryUnavailableError);
    await close();
  });

  test('on a network that went dead every query fails in time, on old connections and new ones', async () => {
    const proxy = await startProxy(`${target.url}?query_timeout=200`);
    const { db, close } = await openDatabase(proxy.url);
    proxy.swallow();
    // The first goes out on the connection that is there, the others wait for new ones.
    const queries = Array.from({ length: 12 }, () => sql`SELECT 1`.execute(db));
    for (const result of await Promise.allSettled(queries)) {
      expect(result).toMatchObject({ status: 'rejected', reason: expect.any(RegistryUnavailableError) });
    }
    await proxy.cut();
    await expect(sql`SELECT 1`.execute(db)).rejects.toBeInstanceOf(RegistryUnavailableError);
    await close();
  });
});
