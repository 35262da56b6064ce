import type { ClickHouseClient } from '@clickhouse/client';
import { LEDGER_COLUMNS, LEDGER_TABLE } from '../../../contract/index.ts';
import { dropUnusedRollUpsWhileEmpty } from '../upkeep/unused-roll-ups.ts';
import { MIGRATIONS_DIRECTORY, readMigrations, type Migration } from './migration-files.ts';
import { assertEngine, syncAsTold } from './storage.ts';
import { assertIdentifier, fillIn, type TemplateValues } from './template.ts';

export interface MigrateOptions {
  database: string;
  /** MergeTree, or ReplicatedMergeTree with its arguments. */
  engine: string;
  /** Sync every insert to disk before it is acknowledged. */
  fsync: boolean;
  /** Cluster that it is replicated on, as `system.clusters` names it; '' or left out on a single server. */
  cluster?: string;
  /** The credentials of the client, which the claims dictionary reads with on a server that has users. */
  user: string;
  password: string;
  /** Migrations other than the repository's own, for tests. */
  directory?: string;
}

/** `system.processes.interface` of a query that came from inside the engine's own process. */
const INTERFACE_LOCAL = 6;

/**
 * Creates what is missing in the ledger's database, forward only.
 *
 * ClickHouse has neither transactional DDL nor locks. So every statement must be one that changes nothing when it runs
 * again (IF NOT EXISTS; a test holds the files to it): then a crash half-way and several detectors starting at once need no
 * more than running them all.
 * @throws Error in one sentence when the database is ahead of this program, an applied migration was changed, or the ledger
 *   has another engine than it is told to have, or other columns than the contract
 */
export async function migrate(client: ClickHouseClient, options: MigrateOptions): Promise<void> {
  const { database } = options;
  assertIdentifier(database);
  const migrations = readMigrations(options.directory ?? MIGRATIONS_DIRECTORY);
  await client.command({ query: createDatabase(database, options.cluster ?? '') });
  await assertEngine(client, database, options.engine);
  const values: TemplateValues = {
    database,
    engine: options.engine,
    columns: LEDGER_COLUMNS,
    fsync: options.fsync,
    dictionaryUser: (await engineHasUsers(client)) ? { user: options.user, password: options.password } : null,
  };
  await client.command({
    query: fillIn(
      `CREATE TABLE IF NOT EXISTS {database}.schema_migrations
       (version UInt32, name String, checksum String, applied_at DateTime64(3, 'UTC'))
       ENGINE = {replacing_engine:applied_at} ORDER BY version`,
      values,
    ),
  });

  const applied = await readApplied(client, database);
  assertUnchanged(migrations, applied, database);
  for (const migration of migrations) {
    if (!applied.has(migration.version)) await apply(client, migration, values);
  }
  await assertColumns(client, database);
  await dropUnusedRollUpsWhileEmpty(client, database);
  await syncAsTold(client, database, options.fsync);
}

/** A replicated database gives every table, dictionary and change of one to all replicas, so that migrations need to know of none. */
function createDatabase(database: string, cluster: string): string {
  if (cluster === '') return `CREATE DATABASE IF NOT EXISTS ${database}`;
  return `CREATE DATABASE IF NOT EXISTS ${database} ON CLUSTER '${cluster}' ENGINE = Replicated('/clickhouse/databases/${database}', '{shard}', '{replica}')`;
}

async function apply(client: ClickHouseClient, migration: Migration, values: TemplateValues): Promise<void> {
  for (const [position, statement] of migration.statements.entries()) {
    try {
      await client.command({ query: fillIn(statement, values) });
    } catch (error) {
      throw new Error(`Statement ${position + 1} of ${migration.name} failed: ${messageOf(error)}`, { cause: error });
    }
  }
  await client.command({
    query: `INSERT INTO ${values.database}.schema_migrations
            SELECT {version:UInt32}, {name:String}, {checksum:String}, now64(3, 'UTC')`,
    query_params: { version: migration.version, name: migration.name, checksum: migration.checksum },
  });
}

async function readApplied(client: ClickHouseClient, database: string): Promise<Map<number, string>> {
  const rows = await client.query({
    query: `SELECT version, argMin(checksum, applied_at) FROM ${database}.schema_migrations GROUP BY version`,
    format: 'JSONCompactEachRow',
  });
  return new Map(await rows.json<[number, string]>());
}

function assertUnchanged(migrations: Migration[], applied: Map<number, string>, database: string): void {
  const known = new Map(migrations.map((migration) => [migration.version, migration]));
  for (const [version, checksum] of applied) {
    const migration = known.get(version);
    if (migration === undefined)
      throw new Error(
        `Database ${database} has migration ${version}, which this program does not know: start the newer program.`,
      );
    if (migration.checksum !== checksum)
      throw new Error(
        `${migration.name} was changed after database ${database} had applied it: put it back and add a new migration.`,
      );
  }
}

/** The column list is generated into the first migration; a later change of it needs a migration of its own. */
async function assertColumns(client: ClickHouseClient, database: string): Promise<void> {
  const answer = await client.query({
    query: `SELECT name, type FROM system.columns
            WHERE database = {database:String} AND table = {table:String} ORDER BY position`,
    query_params: { database, table: LEDGER_TABLE },
    format: 'JSONCompactEachRow',
  });
  const found = (await answer.json<[string, string]>()).map(([name, type]) => `${name} ${type}`);
  const missing = LEDGER_COLUMNS.map(({ name, type }) => `${name} ${type}`).filter((column) => !found.includes(column));
  if (missing.length > 0)
    throw new Error(
      `The ledger in database ${database} lacks ${missing.join(', ')}: the contract's list needs a migration.`,
    );
}

/** Whether the engine keeps users of its own; the embedded one does not, its HTTP endpoint asks for the password. */
async function engineHasUsers(client: ClickHouseClient): Promise<boolean> {
  const answer = await client.query({
    query: 'SELECT interface FROM system.processes WHERE query_id = queryID()',
    format: 'JSONCompactEachRow',
  });
  const rows = await answer.json<[number]>();
  return rows[0]?.[0] !== INTERFACE_LOCAL;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
