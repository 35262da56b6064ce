import { BRIEFLY } from '../clickhouse.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { nanoOf } from '../ledger/money.ts';

/** What some lanes cost and how often they were used. */
export interface Spend {
  /** Billionths of a dollar. */
  nanoUsd: bigint;
  requests: number;
}

/**
 * What lanes cost, by lane. Lanes that were never used are left out.
 * @param fromMs start of the time looked at; 0 for all of it
 */
export async function readSpend(
  store: ClickHouse,
  lanes: readonly string[],
  fromMs: number,
): Promise<ReadonlyMap<string, Spend>> {
  if (lanes.length === 0) return new Map();
  // Rows are seen no later than they are stored, so the second bound drops nothing and leaves out whole partitions.
  const rows = await store.rows<{ lane: string; usd: string; requests: number | string }>(
    `SELECT lane, toString(sum(cost_usd)) AS usd, sum(calls) AS requests FROM ${store.database}.ledger
     WHERE lane IN {lanes:Array(String)} AND seen_at >= fromUnixTimestamp64Milli({from:Int64})
       AND stored_at >= fromUnixTimestamp64Milli({from:Int64})
     GROUP BY lane`,
    { lanes, from: fromMs },
    BRIEFLY,
  );
  return new Map(rows.map(({ lane, usd, requests }) => [lane, { nanoUsd: nanoOf(usd), requests: Number(requests) }]));
}

/** Sum over lanes. */
export function totalOf(spend: ReadonlyMap<string, Spend>): Spend {
  const total = { nanoUsd: 0n, requests: 0 };
  for (const { nanoUsd, requests } of spend.values()) {
    total.nanoUsd += nanoUsd;
    total.requests += requests;
  }
  return total;
}
