import type { ClickHouseClient } from '@clickhouse/client';
import { DATABASE } from './engine.ts';

/** Questions about the ledger's present state, asked directly of the engine while the system runs. */
export interface LedgerView {
  /** How many of these events are in the ledger. All of one source. */
  stored(source: string, ids: string[]): Promise<number>;
  /** Who claimed each partition last, as detector names. */
  claimants(): Promise<Map<number, string>>;
}

export function createLedgerView(client: ClickHouseClient, database = DATABASE): LedgerView {
  async function rowsOf<Row>(query: string, query_params: Record<string, unknown> = {}): Promise<Row[]> {
    const answer = await client.query({ query, query_params, format: 'JSONCompactEachRow' });
    return answer.json<Row>();
  }
  return {
    async stored(source, ids) {
      const rows = await rowsOf<[string | number]>(
        `SELECT uniqExact(id) FROM ${database}.ledger WHERE source = {source:String} AND id IN {ids:Array(String)}`,
        { source, ids },
      );
      return Number(rows[0]?.[0] ?? 0);
    },
    async claimants() {
      const rows = await rowsOf<[string | number, string]>(
        `SELECT partition, argMax(claimant, (claimed_at, claimant)) FROM ${database}.claims GROUP BY partition`,
      );
      // A claimant is `<instance>/<assignment>/<time>/<generation>`.
      return new Map(rows.map(([partition, claimant]) => [Number(partition), claimant.split('/')[0] ?? '']));
    },
  };
}
