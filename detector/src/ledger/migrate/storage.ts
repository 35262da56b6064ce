import type { ClickHouseClient } from '@clickhouse/client';
import { LEDGER_TABLE } from '../../../contract/index.ts';
import { engineName } from './template.ts';

/*
 * Engine and syncing are written into the statement that creates the ledger. On one that is there already that statement does nothing,
 * so what the configuration says now is compared with what the ledger has.
 */

/** On ClickHouse's own cloud every MergeTree comes out as this one, which replicates by itself. */
const SHARED = 'SharedMergeTree';

interface Storage {
  engine: string;
  /** The engine with its arguments and settings. */
  engine_full: string;
}

async function readStorage(client: ClickHouseClient, database: string): Promise<Storage | undefined> {
  const answer = await client.query({
    query: `SELECT engine, engine_full FROM system.tables WHERE database = {database:String} AND name = {table:String}`,
    query_params: { database, table: LEDGER_TABLE },
    format: 'JSONEachRow',
  });
  return (await answer.json<Storage>())[0];
}

/**
 * A ledger that is not there yet passes.
 * @throws Error in one sentence when the ledger has another engine than it is told to have: ClickHouse can't change it
 */
export async function assertEngine(client: ClickHouseClient, database: string, engine: string): Promise<void> {
  const storage = await readStorage(client, database);
  if (storage === undefined || storage.engine === SHARED || storage.engine === engineName(engine)) return;
  throw new Error(
    `The ledger in database ${database} has engine ${storage.engine}, LEDGER_ENGINE says ${engine}: ` +
      `a table keeps the engine it was made with, so name that one, or another CLICKHOUSE_DATABASE for a new ledger.`,
  );
}

/** Has inserts into the ledger synced to disk, or not, from now on. */
export async function syncAsTold(client: ClickHouseClient, database: string, fsync: boolean): Promise<void> {
  const settings = (await readStorage(client, database))?.engine_full ?? '';
  const isSynced = ['fsync_after_insert', 'fsync_part_directory'].map((name) =>
    new RegExp(`\\b${name} = (1|true)\\b`).test(settings),
  );
  if (isSynced.every((is) => is === fsync)) return;
  const value = fsync ? 1 : 0;
  await client.command({
    query: `ALTER TABLE ${database}.${LEDGER_TABLE} MODIFY SETTING fsync_after_insert = ${value}, fsync_part_directory = ${value}`,
  });
}
