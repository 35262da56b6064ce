import { setTimeout as delay } from 'node:timers/promises';
import type { ClickHouseClient } from '@clickhouse/client';

const POLL_MS = 25;
const DEADLINE_MS = 600_000;

/**
 * Watches a table fill and tells the throughput from the first visible row to the last, so that start-up (process, group join,
 * first fetch) counts on neither side.
 * @returns rows per second
 * @throws Error when not all rows are visible in ten minutes
 */
export async function throughputUntilVisible(client: ClickHouseClient, table: string, rows: number): Promise<number> {
  const deadline = performance.now() + DEADLINE_MS;
  let firstRows = 0;
  let firstMs = 0;
  let seen = 0;
  while (performance.now() < deadline) {
    seen = await countRows(client, table);
    if (firstRows === 0 && seen > 0) {
      firstRows = seen;
      firstMs = performance.now();
    }
    if (seen >= rows) return ((rows - firstRows) / (performance.now() - firstMs)) * 1000;
    await delay(POLL_MS);
  }
  throw new Error(`${table} has ${seen} of ${rows} rows after ${DEADLINE_MS / 1000} s`);
}

/** Rows visible now; 0 while the table is still to be created. */
export async function countRows(client: ClickHouseClient, table: string): Promise<number> {
  const [database, name] = table.split('.');
  const result = await client.query({
    query: 'SELECT sum(total_rows) AS n FROM system.tables WHERE database = {database:String} AND name = {name:String}',
    query_params: { database, name },
    format: 'JSONEachRow',
  });
  const [row] = await result.json<{ n: string | number | null }>();
  return Number(row?.n ?? 0);
}
