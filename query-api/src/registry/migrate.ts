import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { sql } from 'kysely';
import { LOCKS } from './database.ts';
import type { RegistryDatabase } from './database.ts';
import { registryUnusable, RegistryUnusableError } from './unusable.ts';

const MIGRATIONS = new URL('../../migrations/', import.meta.url);

interface Migration {
  number: number;
  name: string;
  text: string;
  sha256: string;
}

async function readMigrations(): Promise<Migration[]> {
  const names = (await readdir(MIGRATIONS)).filter((name) => name.endsWith('.sql')).sort();
  return Promise.all(
    names.map(async (name, index) => {
      const number = Number(name.slice(0, 3));
      if (!Number.isInteger(number) || names[index - 1]?.slice(0, 3) === name.slice(0, 3))
        throw new Error(`Each migration begins with a number of its own of three digits: ${name}`);
      const text = await readFile(new URL(name, MIGRATIONS), 'utf8');
      return { number, name, text, sha256: createHash('sha256').update(text).digest('hex') };
    }),
  );
}

/**
 * Splits a migration into statements. Comments go first: a semicolon may stand in one.
 * Migrations hold no function bodies or texts with `--` or a semicolon at a line's end, which this would cut.
 */
function statementsOf(text: string): string[] {
  return text
    .replace(/^\s*--.*$/gm, '')
    .split(/;\s*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
}

/**
 * Brings the registry's schema to the newest migration: forward only, in one transaction, one process at a time.
 * @returns names of what was applied now
 * @throws RegistryUnusableError when its user may not make tables, or the store is newer than this program or of an edited one
 */
export async function migrateRegistry(db: RegistryDatabase): Promise<string[]> {
  const migrations = await readMigrations();
  return apply(db, migrations).catch((error: unknown) => {
    throw isForbidden(error) ? registryUnusable(error) : error;
  });
}

/** Postgres's code for a right that the user lacks. */
const INSUFFICIENT_PRIVILEGE = '42501';

function isForbidden(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === INSUFFICIENT_PRIVILEGE;
}

function apply(db: RegistryDatabase, migrations: Migration[]): Promise<string[]> {
  return db.transaction().execute(async (transaction) => {
    await sql`SELECT pg_advisory_xact_lock(${LOCKS.migrations})`.execute(transaction);
    await sql`CREATE TABLE IF NOT EXISTS migrations (
      number integer PRIMARY KEY, name text NOT NULL, sha256 text NOT NULL, applied_at timestamptz NOT NULL
    )`.execute(transaction);
    const applied = await transaction.selectFrom('migrations').selectAll().orderBy('number').execute();
    for (const done of applied) {
      const migration = migrations.find(({ number }) => number === done.number);
      if (migration === undefined) {
        throw new RegistryUnusableError(
          `The registry was made by a newer version of Lanewatch (${done.name} is not known here): start that version.`,
        );
      }
      if (migration.sha256 !== done.sha256) {
        throw new RegistryUnusableError(
          `The registry was made by another edition of ${done.name} than this one: start the version of Lanewatch that made it.`,
        );
      }
    }
    // Numbers may have gaps, and one between others may come later: parts of the schema are numbered apart.
    const pending = migrations.filter(({ number }) => !applied.some((done) => done.number === number));
    for (const migration of pending) {
      for (const statement of statementsOf(migration.text)) await sql.raw(statement).execute(transaction);
      const { number, name, sha256 } = migration;
      await transaction.insertInto('migrations').values({ number, name, sha256, applied_at: new Date() }).execute();
    }
    return pending.map((migration) => migration.name);
  });
}
