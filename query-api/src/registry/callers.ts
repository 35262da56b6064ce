import { BRIEFLY } from '../clickhouse.ts';
import type { ClickHouse } from '../clickhouse.ts';

/** `source` of the events that verify writes. */
export const VERIFY_SOURCE = 'lanewatch/verify';

/** Who used a lane, as events name them. */
export interface Caller {
  lane: string;
  user: string;
  ip: string;
  agent: string;
  environment: string;
  repo: string;
  /** What verify was asked, such as `write runs`; '' for what collectors reported. */
  operation: string;
  calls: number;
  lastMs: number;
}

/** Distinct callers that are read at most, those of most calls first. */
export const CALLERS_MAX = 2_000;

/** Callers of lanes since an instant, most calls first. */
export async function readCallers(store: ClickHouse, lanes: readonly string[], fromMs: number): Promise<Caller[]> {
  const rows = await store.rows<Omit<Caller, 'lastMs' | 'calls'> & { calls: number | string; last: number | string }>(
    `SELECT lane, user, ip, agent, environment, repo, if(source = {verify:String}, operation, '') AS operation,
       sum(calls) AS calls, toUnixTimestamp64Milli(max(seen_at)) AS last
     FROM ${store.database}.ledger
     WHERE lane IN {lanes:Array(String)} AND seen_at >= fromUnixTimestamp64Milli({from:Int64})
       AND stored_at >= fromUnixTimestamp64Milli({from:Int64})
     GROUP BY lane, user, ip, agent, environment, repo, operation HAVING calls > 0
     ORDER BY calls DESC, last DESC LIMIT {limit:UInt32}`,
    { lanes, from: fromMs, verify: VERIFY_SOURCE, limit: CALLERS_MAX },
    BRIEFLY,
  );
  return rows.map(({ last, calls, ...named }) => ({ ...named, calls: Number(calls), lastMs: Number(last) }));
}

/** Events that a collector shipped since an instant, as one caller; null when there were none. */
export async function readShipping(store: ClickHouse, id: string, fromMs: number): Promise<Caller | null> {
  const [row] = await store.rows<{ calls: number | string; last: number | string }>(
    `SELECT count() AS calls, toUnixTimestamp64Milli(max(received_at)) AS last FROM ${store.database}.ledger
     WHERE collector = {id:String} AND stored_at >= fromUnixTimestamp64Milli({from:Int64})`,
    { id, from: fromMs },
    BRIEFLY,
  );
  if (row === undefined || Number(row.calls) === 0) return null;
  const unnamed = { lane: '', user: '', ip: '', agent: '', environment: '', repo: '' };
  return { ...unnamed, operation: 'write usage-events', calls: Number(row.calls), lastMs: Number(row.last) };
}
