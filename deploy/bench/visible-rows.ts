import { setTimeout as delay } from 'node:timers/promises';
import type { ClickHouseClient } from '@clickhouse/client';

/** Until a consumer has its partitions; the clock starts this much late at most. */
const ASSIGNED_POLL_MS = 20;
/** Until its rows are there: each look costs the engine milliseconds of a core that both sides need for their rows. */
const ROWS_POLL_MS = 100;
const DEADLINE_MS = 600_000;

/**
 * Waits until a consumer has its partitions, then until its table has all rows: start-up counts on neither side, and a
 * consumer that shows its rows in few large steps is timed as fairly as one that shows them in many small ones.
 * @param assigned tells whether the consumer has its partitions
 * @returns rows per second between the two
 * @throws Error when it takes longer than ten minutes
 */
export async function throughputUntilVisible(
  client: ClickHouseClient,
  table: string,
  rows: number,
  assigned: () => Promise<boolean>,
): Promise<number> {
  const deadline = performance.now() + DEADLINE_MS;
  const waitFor = async (what: string, pollMs: number, condition: () => Promise<boolean>) => {
    while (!(await condition())) {
      if (performance.now() > deadline) throw new Error(`${what} did not come true within ${DEADLINE_MS / 1000} s`);
      await delay(pollMs);
    }
  };
  await waitFor(`the consumer of ${table} having partitions`, ASSIGNED_POLL_MS, assigned);
  const startedMs = performance.now();
  await waitFor(`${table} having ${rows} rows`, ROWS_POLL_MS, async () => (await countRows(client, table)) >= rows);
  return (rows / (performance.now() - startedMs)) * 1000;
}

/**
 * Rows visible now; 0 while the table is still to be created. Reads the parts' own counts, so that it costs the engine the same few
 * milliseconds on both sides, however many rows there are.
 */
async function countRows(client: ClickHouseClient, table: string): Promise<number> {
  const [database, name] = table.split('.');
  return numberOf(
    client,
    'SELECT sum(total_rows) AS n FROM system.tables WHERE database = {database:String} AND name = {name:String}',
    { database, name },
  );
}

/** The single number `n` that a query answers. */
export async function numberOf(
  client: ClickHouseClient,
  query: string,
  parameters: Record<string, unknown>,
): Promise<number> {
  const result = await client.query({ query, query_params: parameters, format: 'JSONEachRow' });
  const [row] = await result.json<{ n: string | number | null }>();
  return Number(row?.n ?? 0);
}
