import type { ClickHouse } from '../clickhouse.ts';

/** When anything was stored last, epoch milliseconds; null for an empty ledger. From part headers, so it costs nothing. */
export async function readLastStoredMs(store: ClickHouse, options?: { patienceMs: number }): Promise<number | null> {
  const [row] = await store.rows<{ last: number | string }>(
    `SELECT toUnixTimestamp64Milli(max(stored_at)) AS last FROM ${store.database}.ledger`,
    {},
    options,
  );
  const last = Number(row?.last ?? 0);
  return last === 0 ? null : last;
}
