import type { Lane, LaneDetail, Window } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { windowScope } from '../ledger/scope.ts';
import { lanesParameters, lanesSql } from './states.ts';

const COMPARABLES_MAX = 5;

type Comparable = LaneDetail['known_comparables'][number];

/** Known lanes to hold one against: of the same org first, then of the same provider, busiest first. One more than is shown. */
export function comparablesSql(database: string, window: Window, nowMs: number): string {
  const columns = ['newest_org', 'newest_provider', 'event_count', 'session_count', 'spent'] as const;
  return `SELECT lane, lane_hint AS hint, record_name AS name, standing, session_count AS sessions, toString(spent) AS cost_usd
    FROM (${lanesSql(database, windowScope(window, nowMs), columns)})
    WHERE standing = 'known'
    ORDER BY 2 * (lane_org != '' AND lane_org = {org:String}) + (lane_provider != '' AND lane_provider = {provider:String}) DESC,
      event_count DESC, lane LIMIT ${COMPARABLES_MAX + 1}`;
}

/** Reads those for lanes of an org and a provider. */
export async function readComparables(
  store: ClickHouse,
  { org, provider }: Pick<Lane, 'org' | 'provider'>,
  window: Window,
  nowMs: number,
): Promise<Comparable[]> {
  const parameters = { ...windowScope(window, nowMs).parameters, ...lanesParameters(nowMs), org, provider };
  const rows = await store.rows<Comparable>(comparablesSql(store.database, window, nowMs), parameters);
  return rows.map((row) => ({ ...row, sessions: Number(row.sessions) }));
}

/** Those that are shown beside a lane: without itself. Pure. */
export function comparablesBeside(lane: string, all: readonly Comparable[]): Comparable[] {
  return all.filter((other) => other.lane !== lane).slice(0, COMPARABLES_MAX);
}
