import type { ClickHouseClient } from '@clickhouse/client';
import { LEDGER_TABLE } from '../../../contract/index.ts';

/** Roll-ups of earlier migrations. calls_by_day_and_lane answers what they did; an insert is a quarter dearer with another one. */
const UNUSED = ['by_lane_hour', 'by_lane_day', 'by_day_and_lane'];

/** The roll-ups that the ledger still has and nothing reads any more. */
async function unusedRollUps(client: ClickHouseClient, database: string): Promise<string[]> {
  const answer = await client.query({
    query: `SELECT name FROM system.projections
            WHERE database = {database:String} AND table = {table:String} AND name IN {names:Array(String)}`,
    query_params: { database, table: LEDGER_TABLE, names: UNUSED },
    format: 'JSONCompactEachRow',
  });
  return (await answer.json<[string]>()).flat();
}

/** Takes them off. On a ledger with rows every part is written anew meanwhile, and the statement waits for that. */
export async function dropUnusedRollUps(client: ClickHouseClient, database: string): Promise<void> {
  const drops = (await unusedRollUps(client, database)).map((name) => `DROP PROJECTION IF EXISTS ${name}`);
  if (drops.length === 0) return;
  await client.command({ query: `ALTER TABLE ${database}.${LEDGER_TABLE} ${drops.join(', ')}` });
}

/** Takes them off a ledger that has no rows yet, where that costs nothing: a new one never has them. */
export async function dropUnusedRollUpsWhileEmpty(client: ClickHouseClient, database: string): Promise<void> {
  const answer = await client.query({
    query: `SELECT count() FROM ${database}.${LEDGER_TABLE}`,
    format: 'JSONCompactEachRow',
  });
  const [[rows] = [0]] = await answer.json<[number | string]>();
  if (Number(rows) === 0) await dropUnusedRollUps(client, database);
}
