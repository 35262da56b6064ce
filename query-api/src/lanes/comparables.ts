import type { Lane, Window } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { rowsSince, windowScope } from '../ledger/scope.ts';
import type { Candidate } from './compare.ts';
import { ENDPOINT_SQL, lanesParameters, lanesSql } from './states.ts';

/** Known lanes that are looked at for the nearest ones. */
const CANDIDATES_MAX = 12;
/** How long before its last event a candidate's uses are read: a busy key has millions of rows a day. */
const USES_MS = 6 * 3_600_000;
/** Values of a kind that are told of a candidate. */
const VALUES_MAX = 50;

/** Known lanes to hold one against: of the same org first, then of the same provider, busiest first. One more than is looked at. */
export function comparablesSql(database: string, window: Window, nowMs: number): string {
  const columns = ['newest_org', 'newest_provider', 'event_count', 'session_count', 'spent'] as const;
  return `SELECT lane, lane_hint AS hint, record_name AS name, standing, session_count AS sessions, toString(spent) AS cost_usd,
      lane_org AS org_named, lane_provider AS provider_named, toUnixTimestamp64Milli(last_at) AS last_ms
    FROM (${lanesSql(database, windowScope(window, nowMs), columns)})
    WHERE standing = 'known'
    ORDER BY 2 * (lane_org != '' AND lane_org = {org:String}) + (lane_provider != '' AND lane_provider = {provider:String}) DESC,
      event_count DESC, lane LIMIT ${CANDIDATES_MAX + 1}`;
}

interface Row extends Pick<Candidate, 'lane' | 'hint' | 'name' | 'standing' | 'cost_usd'> {
  sessions: number | string;
  org_named: string;
  provider_named: string;
  last_ms: number | string;
}
type Uses = Pick<Candidate['uses'], 'user' | 'repo' | 'endpoint' | 'agent'>;
const NO_USES: Uses = { user: [], repo: [], endpoint: [], agent: [] };

/** Reads those for lanes of an org and a provider, with what they were used with in the last hours of their use. */
export async function readCandidates(
  store: ClickHouse,
  { org, provider }: Pick<Lane, 'org' | 'provider'>,
  window: Window,
  nowMs: number,
): Promise<Candidate[]> {
  const parameters = { ...windowScope(window, nowMs).parameters, ...lanesParameters(nowMs), org, provider };
  const rows = await store.rows<Row>(comparablesSql(store.database, window, nowMs), parameters);
  const uses = await readUses(store, rows);
  const named = (value: string): string[] => (value === '' ? [] : [value]);
  return rows.map(({ lane, hint, name, standing, cost_usd, sessions, org_named, provider_named }) => ({
    ...{ lane, hint, name, standing, cost_usd, sessions: Number(sessions) },
    uses: { ...(uses.get(lane) ?? NO_USES), org: named(org_named), provider: named(provider_named) },
  }));
}

async function readUses(store: ClickHouse, candidates: readonly Row[]): Promise<Map<string, Uses>> {
  if (candidates.length === 0) return new Map();
  const froms = candidates.map(({ last_ms: ms }) => Number(ms) - USES_MS);
  const since = rowsSince(Math.min(...froms), 'oldest');
  const parameters: Record<string, unknown> = { ...since.parameters };
  // Said lane by lane, so that the table's order leaves all other rows unread.
  const ranges = candidates.map(({ lane }, index) => {
    Object.assign(parameters, { [`lane_${index}`]: lane, [`from_${index}`]: froms[index] });
    return `lane = {lane_${index}:String} AND seen_at >= fromUnixTimestamp64Milli({from_${index}:Int64}, 'UTC')`;
  });
  const values = (of: string): string => `groupUniqArrayIf(${VALUES_MAX})(${of}, ${of} != '')`;
  const rows = await store.rows<{
    lane: string;
    users: string[];
    repos: string[];
    endpoints: string[];
    agents: string[];
  }>(
    `SELECT lane, ${values('user')} AS users, ${values('repo')} AS repos, ${values(ENDPOINT_SQL)} AS endpoints, ${values('agent')} AS agents
     FROM ${store.database}.ledger WHERE ${since.where} AND (${ranges.map((range) => `(${range})`).join(' OR ')}) GROUP BY lane`,
    parameters,
  );
  return new Map(
    rows.map(({ lane, users, repos, endpoints, agents }) => [
      lane,
      { user: users, repo: repos, endpoint: endpoints, agent: agents },
    ]),
  );
}
