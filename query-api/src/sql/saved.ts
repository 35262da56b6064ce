import { randomUUID } from 'node:crypto';
import type { SavedQuery, SavedQueryInput, SqlHistory, SqlRequest } from '../../contract/index.ts';
import { ProblemError } from '../http/problem.ts';
import type { RegistryDatabase } from '../registry/database.ts';
import type { SqlQueriesTable } from './tables.ts';
import type { Selectable } from 'kysely';

const LISTED_MAX = 500;
const OWN_MAX = 300;
/** What is kept of what each person ran. */
const HISTORY_MAX = 100;

/** One's own queries and those that others share, the last changed first. */
export async function listSaved(db: RegistryDatabase, owner: string): Promise<SavedQuery[]> {
  const rows = await db
    .selectFrom('sql_queries')
    .selectAll()
    .where((is) => is.or([is('owner', '=', owner), is('is_shared', '=', true)]))
    .orderBy('updated_at', 'desc')
    .limit(LISTED_MAX)
    .execute();
  return rows.map((row) => savedOf(row, owner));
}

/** @throws {ProblemError} `conflict` when the person keeps as many as one may */
export async function createSaved(
  db: RegistryDatabase,
  input: SavedQueryInput,
  owner: string,
  nowMs: number,
): Promise<SavedQuery> {
  const { count } = await db
    .selectFrom('sql_queries')
    .select(({ fn }) => fn.countAll<string>().as('count'))
    .where('owner', '=', owner)
    .executeTakeFirstOrThrow();
  if (Number(count) >= OWN_MAX) throw new ProblemError('conflict', `You keep ${OWN_MAX} queries: delete one first.`);
  const at = new Date(nowMs);
  const row = { id: `query_${randomUUID()}`, owner, created_at: at, updated_at: at, ...storedOf(input) };
  return savedOf(await db.insertInto('sql_queries').values(row).returningAll().executeTakeFirstOrThrow(), owner);
}

/** @throws {ProblemError} `not_found` for what is not one's own: shared queries are changed by who shares them */
export async function changeSaved(
  db: RegistryDatabase,
  id: string,
  input: SavedQueryInput,
  owner: string,
  nowMs: number,
): Promise<SavedQuery> {
  const row = await db
    .updateTable('sql_queries')
    .set({ ...storedOf(input), updated_at: new Date(nowMs) })
    .where('id', '=', id)
    .where('owner', '=', owner)
    .returningAll()
    .executeTakeFirst();
  if (row === undefined) throw notOwn();
  return savedOf(row, owner);
}

/** @throws {ProblemError} `not_found` for what is not one's own */
export async function removeSaved(db: RegistryDatabase, id: string, owner: string): Promise<void> {
  const { numDeletedRows } = await db
    .deleteFrom('sql_queries')
    .where('id', '=', id)
    .where('owner', '=', owner)
    .executeTakeFirstOrThrow();
  if (numDeletedRows === 0n) throw notOwn();
}

/** Notes what a person ran, and forgets what is older than their last hundred. */
export async function recordRun(
  db: RegistryDatabase,
  person: string,
  run: Pick<SqlRequest, 'sql' | 'parameters'> & { atMs: number; elapsedMs: number; rowsRead: number; problem: string },
): Promise<void> {
  const { id } = await db
    .insertInto('sql_history')
    .values({
      person,
      at: new Date(run.atMs),
      sql: run.sql,
      parameters: JSON.stringify(run.parameters),
      elapsed_ms: Math.round(run.elapsedMs),
      rows_read: run.rowsRead,
      problem: run.problem.slice(0, 500),
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  const kept = db
    .selectFrom('sql_history')
    .select('id')
    .where('person', '=', person)
    .orderBy('id', 'desc')
    .limit(HISTORY_MAX);
  await db
    .deleteFrom('sql_history')
    .where('person', '=', person)
    .where('id', '<', id)
    .where('id', 'not in', kept)
    .execute();
}

/** What a person ran, the newest first. */
export async function readHistory(db: RegistryDatabase, person: string): Promise<SqlHistory> {
  const rows = await db
    .selectFrom('sql_history')
    .selectAll()
    .where('person', '=', person)
    .orderBy('id', 'desc')
    .execute();
  return {
    items: rows.map((row) => ({
      id: String(row.id),
      at: row.at.toISOString(),
      sql: row.sql,
      parameters: row.parameters,
      elapsed_ms: row.elapsed_ms,
      rows_read: Number(row.rows_read),
      problem: row.problem,
    })),
  };
}

const notOwn = () => new ProblemError('not_found', 'You keep no query of this id.');

const storedOf = ({ title, sql, parameters, chart, is_shared }: SavedQueryInput) => ({
  ...{ title, sql, is_shared },
  parameters: JSON.stringify(parameters),
  chart: chart === null ? null : JSON.stringify(chart),
});

const savedOf = (row: Selectable<SqlQueriesTable>, reader: string): SavedQuery => ({
  ...row,
  is_own: row.owner === reader,
  created_at: row.created_at.toISOString(),
  updated_at: row.updated_at.toISOString(),
});
