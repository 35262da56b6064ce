import type { Window } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { LIVE_MS, windowStartMs } from '../ledger/window.ts';

/** What the ledger says of one lane in a window. Instants are epoch milliseconds, money is decimal text. */
export interface LaneAggregate {
  lane: string;
  fingerprint: string;
  hint: string;
  /** Org of the event that the hint is from, which may be empty: only together do the two name a key. */
  hint_org: string;
  /** The latest org reported at all. */
  org: string;
  provider: string;
  events: number;
  /** Those that met the key as revoked or expired. */
  retired_events: number;
  sessions: number;
  live_sessions: number;
  users: number;
  endpoints: number;
  agents: number;
  repos: number;
  models: number;
  cost_usd: string;
  tokens_input_uncached: number;
  tokens_cache_read: number;
  tokens_cache_write: number;
  tokens_output: number;
  first_seen: number;
  last_seen: number;
}

/** An endpoint is the address, or the host name where no address was reported; the detector counts the same. */
export const ENDPOINT_SQL = `if(ip != '', ip, host)`;
export const ENDPOINT_COLUMN_SQL = `if(ip != '', 'ip', 'host')`;

/** Hint and org of the newest event with a hint. */
const NEWEST_NAME_SQL = `argMaxIf((ledger.hint, ledger.org), seen_at, ledger.hint != '')`;

/**
 * Aggregates of a lane. Distinct values are counted exactly and without the empty one, from the rows themselves: the
 * roll-up keeps approximate states that include "not reported" as a value, and a count here must equal the rows it opens.
 */
const AGGREGATES_SQL = `
  any(fingerprint) AS fingerprint,
  tupleElement(${NEWEST_NAME_SQL}, 1) AS hint,
  tupleElement(${NEWEST_NAME_SQL}, 2) AS hint_org,
  argMaxIf(ledger.org, seen_at, ledger.org != '') AS org,
  argMaxIf(if(credential_provider != '', credential_provider, provider), seen_at,
           credential_provider != '' OR provider != '') AS provider,
  count() AS events,
  countIf(standing IN ('revoked', 'expired')) AS retired_events,
  uniqExactIf(session, session != '') AS sessions,
  uniqExactIf(session, session != '' AND seen_at >= fromUnixTimestamp64Milli({live_from:Int64}, 'UTC')) AS live_sessions,
  uniqExactIf(user, user != '') AS users,
  uniqExactIf(${ENDPOINT_SQL}, ${ENDPOINT_SQL} != '') AS endpoints,
  uniqExactIf(agent, agent != '') AS agents,
  uniqExactIf(repo, repo != '') AS repos,
  uniqExactIf(model, model != '') AS models,
  toString(sum(ledger.cost_usd)) AS cost_usd,
  sum(ledger.tokens_input_uncached) AS tokens_input_uncached,
  sum(ledger.tokens_cache_read) AS tokens_cache_read,
  sum(ledger.tokens_cache_write) AS tokens_cache_write,
  sum(ledger.tokens_output) AS tokens_output,
  toUnixTimestamp64Milli(min(ledger.seen_at)) AS first_seen,
  toUnixTimestamp64Milli(max(ledger.seen_at)) AS last_seen`;

const NUMBERS = [
  'events',
  'retired_events',
  'sessions',
  'live_sessions',
  'users',
  'endpoints',
  'agents',
  'repos',
  'models',
  'tokens_input_uncached',
  'tokens_cache_read',
  'tokens_cache_write',
  'tokens_output',
  'first_seen',
  'last_seen',
] as const satisfies readonly (keyof LaneAggregate)[];

/** 64-bit numbers come as text where the engine quotes them. */
function withNumbers(row: LaneAggregate): LaneAggregate {
  const result = { ...row };
  for (const name of NUMBERS) result[name] = Number(row[name]);
  return result;
}

/** All lanes with an event since the window's start. */
export async function readLaneAggregates(store: ClickHouse, window: Window, nowMs: number): Promise<LaneAggregate[]> {
  const lanes: LaneAggregate[] = [];
  await store.stream<LaneAggregate>(
    `SELECT lane, ${AGGREGATES_SQL} FROM ${store.database}.ledger AS ledger
     WHERE ledger.seen_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') GROUP BY lane`,
    { from: windowStartMs(window, nowMs), live_from: nowMs - LIVE_MS },
    (row) => lanes.push(withNumbers(row)),
  );
  return lanes;
}

/** One lane in a window; where it has no events there, its counts are zero and its instants are those of all time. Null: no event ever. */
export async function readLaneAggregate(
  store: ClickHouse,
  lane: string,
  window: Window,
  nowMs: number,
): Promise<LaneAggregate | null> {
  const parameters = { lane, from: windowStartMs(window, nowMs), live_from: nowMs - LIVE_MS };
  const select = `SELECT lane, ${AGGREGATES_SQL} FROM ${store.database}.ledger AS ledger WHERE lane = {lane:String}`;
  const [inWindow] = await store.rows<LaneAggregate>(
    `${select} AND ledger.seen_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') GROUP BY lane`,
    parameters,
  );
  if (inWindow !== undefined) return withNumbers(inWindow);
  const [ever] = await store.rows<LaneAggregate>(`${select} GROUP BY lane`, parameters);
  if (ever === undefined) return null;
  const { fingerprint, hint, hint_org, org, provider, first_seen, last_seen } = withNumbers(ever);
  const none = Object.fromEntries(NUMBERS.map((name) => [name, 0])) as Record<(typeof NUMBERS)[number], number>;
  return { ...none, lane, fingerprint, hint, hint_org, org, provider, cost_usd: '0', first_seen, last_seen };
}
