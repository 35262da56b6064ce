import type { ClickHouseClient } from '@clickhouse/client';

/** What a provider counted of a key on a UTC day, which rule R28 compares with what was observed. */
export interface ProviderTotal {
  /** Registry id of the key. */
  credential_id: string;
  provider: string;
  /** `2026-11-20` */
  day: string;
  /** US dollars, decimal text. */
  billed_usd: string;
}

/** Writes totals; a day that is there already is replaced. @param database a checked identifier */
export async function writeProviderTotals(
  client: Pick<ClickHouseClient, 'insert'>,
  database: string,
  totals: readonly ProviderTotal[],
): Promise<void> {
  if (totals.length === 0) return;
  await client.insert({
    table: `${database}.provider_totals`,
    values: [...totals],
    format: 'JSONEachRow',
    clickhouse_settings: { async_insert: 0, insert_deduplicate: 0, wait_end_of_query: 1 },
  });
}
