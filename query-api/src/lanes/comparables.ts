import type { Lane } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { rowsSince } from '../ledger/scope.ts';
import type { Candidate } from './compare.ts';
import type { LaneFacts } from './facts.ts';
import { ROW_COLUMNS_SQL, completed } from './rows.ts';
import type { Answered } from './rows.ts';
import type { LaneRow } from './lane-row.ts';
import { ENDPOINT_SQL } from './states.ts';

/** Known lanes that are looked at for the nearest ones. */
const CANDIDATES_MAX = 12;
/** How long before its last event a candidate's uses are read: a busy key has millions of rows a day. */
const USES_MS = 6 * 3_600_000;
/** Values of a kind that are told of a candidate. */
const VALUES_MAX = 50;

type Uses = Pick<Candidate['uses'], 'user' | 'repo' | 'endpoint' | 'agent'>;
const NO_USES: Uses = { user: [], repo: [], endpoint: [], agent: [] };

/**
 * Known lanes to hold those of an org and a provider against, with what they were used with in the last hours of their use: of the same org
 * first, then of the same provider, busiest first. One more than is looked at.
 */
export async function readCandidates(
  store: ClickHouse,
  { org, provider }: Pick<Lane, 'org' | 'provider'>,
  facts: LaneFacts,
): Promise<Candidate[]> {
  const found = await store.rows<Answered>(
    `SELECT ${ROW_COLUMNS_SQL} FROM ${facts.from} WHERE standing = 'known'
     ORDER BY 2 * (lane_org != '' AND lane_org = {org:String}) + (lane_provider != '' AND lane_provider = {provider:String}) DESC,
       event_count DESC, lane LIMIT ${CANDIDATES_MAX + 1}`,
    { ...facts.parameters, org, provider },
  );
  const rows = await completed(store, facts, found);
  const uses = await readUses(store, rows);
  const named = (value: string): string[] => (value === '' ? [] : [value]);
  return rows.map(({ lane, lane_hint, record_name, standing, spent, session_count, lane_org, lane_provider }) => ({
    ...{ lane, hint: lane_hint, name: record_name, standing, cost_usd: spent, sessions: session_count },
    uses: { ...(uses.get(lane) ?? NO_USES), org: named(lane_org), provider: named(lane_provider) },
  }));
}

async function readUses(store: ClickHouse, candidates: readonly LaneRow[]): Promise<Map<string, Uses>> {
  if (candidates.length === 0) return new Map();
  const froms = candidates.map(({ last_at: ms }) => ms - USES_MS);
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
