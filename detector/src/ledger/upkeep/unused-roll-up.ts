import type { ClickHouseClient } from '@clickhouse/client';
import { LEDGER_TABLE } from '../../../contract/index.ts';

/** The roll-up of the first migration. by_lane_day answers what it did; an insert is a quarter dearer with both. */
const UNUSED = 'by_lane_hour';

/** Whether the ledger still has the roll-up that nothing reads any more. */
async function hasUnusedRollUp(client: ClickHouseClient, database: string): Promise<boolean> {
  const answer = await client.query({
    query: `SELECT count() FROM system.projections
            WHERE database = {database:String} AND table = {table:String} AND name = {name:String}`,
    query_params: { database, table: LEDGER_TABLE, name: UNUSED },
    format: 'JSONCompactEachRow',
  });
  const [[count] = [0]] = await answer.json<[number | string]>();
  return Number(count) > 0;
}

/** Takes it off. On a ledger with rows every part is written anew meanwhile, and the statement waits for that. */
export async function dropUnusedRollUp(client: ClickHouseClient, database: string): Promise<void> {
  if (!(await hasUnusedRollUp(client, database))) return;
  await client.command({ query: `ALTER TABLE ${database}.${LEDGER_TABLE} DROP PROJECTION IF EXISTS ${UNUSED}` });
}

/** Takes it off a ledger that has no rows yet, where that costs nothing: a new one never has it. */
export async function dropUnusedRollUpWhileEmpty(client: ClickHouseClient, database: string): Promise<void> {
  const answer = await client.query({
    query: `SELECT count() FROM ${database}.${LEDGER_TABLE}`,
    format: 'JSONCompactEachRow',
  });
  const [[rows] = [0]] = await answer.json<[number | string]>();
  if (Number(rows) === 0) await dropUnusedRollUp(client, database);
}
