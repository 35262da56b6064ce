import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { describe, expect, inject, test } from 'vitest';
import { openDatabase } from './database.ts';
import { migrateRegistry } from './migrate.ts';
import { RegistryUnusableError } from './unusable.ts';

async function sentenceOf(url: string): Promise<string> {
  try {
    const database = await openDatabase(url);
    await migrateRegistry(database.db).finally(() => database.close());
  } catch (error) {
    expect(error).toBeInstanceOf(RegistryUnusableError);
    return (error as Error).message;
  }
  return 'it can be used';
}

test.each(['127.0.0.1', 'localhost'])('a server at %s that is away is named, and the password is not', async (host) => {
  const sentence = await sentenceOf(`postgres://me:s3cret@${host}:9/registry`);
  expect(sentence).toContain(`The registry's database registry at ${host}:9 can't be used (connect ECONNREFUSED`);
  expect(sentence).toContain('check that the server runs');
  expect(sentence).not.toContain('s3cret');
});

test('an address that is none is refused without its password', async () => {
  const sentence = await sentenceOf('postgres://me:s3cret@host:port/registry');
  expect(sentence).toContain('DATABASE_URL');
  expect(sentence).not.toContain('s3cret');
});

const server = inject('postgresUrl');
describe.skipIf(server === null)('Postgres', () => {
  const suffix = randomBytes(6).toString('hex');

  test('a database that is not there is named', async () => {
    const url = new URL(server!);
    url.pathname = `/absent_${suffix}`;
    expect(await sentenceOf(url.href)).toMatch(/absent_\w+ at .*does not exist\): create that database/);
  });

  test('a user who may not make tables is told so', async () => {
    const admin = await openDatabase(server!);
    const [role, database] = [`role_${suffix}`, `strict_${suffix}`];
    await sql.raw(`CREATE ROLE ${role} LOGIN PASSWORD 'x'`).execute(admin.db);
    await sql.raw(`CREATE DATABASE ${database}`).execute(admin.db);
    try {
      const url = new URL(server!);
      Object.assign(url, { username: role, password: 'x', pathname: `/${database}` });
      // Before Postgres 15 everybody may make tables in public.
      const owner = await openDatabase(Object.assign(new URL(server!), { pathname: `/${database}` }).href);
      await sql`REVOKE CREATE ON SCHEMA public FROM PUBLIC`.execute(owner.db);
      await owner.close();
      expect(await sentenceOf(url.href)).toMatch(/permission denied.*give its user the right to create tables/);
    } finally {
      await sql.raw(`DROP DATABASE ${database} WITH (FORCE)`).execute(admin.db);
      await sql.raw(`DROP ROLE ${role}`).execute(admin.db);
      await admin.close();
    }
  });
});
