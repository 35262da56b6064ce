import type { BannerLane, Lane } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import type { LaneFacts } from '../lanes/facts.ts';
import { registrationOf } from '../lanes/registration.ts';
import { rowsSince } from '../ledger/scope.ts';
import { instantOf, isLive } from '../ledger/window.ts';

/** Lanes that the banner names; the counts beside them are complete. */
const BANNER_LANES_MAX = 10;

/** What is known of a lane before its newest event is looked up. */
type Named = Pick<Lane, 'lane' | 'hint' | 'org' | 'standing' | 'registration' | 'cost_usd' | 'last_seen'>;

/** The lanes that the banner names: unknown or retired ones in use, live and worst first, then those that cost most. */
export async function readBannerLanes(store: ClickHouse, { from, parameters }: LaneFacts): Promise<Named[]> {
  const rows = await store.rows<
    Pick<Named, 'lane' | 'standing'> &
      Record<'fingerprint' | 'lane_hint' | 'lane_org' | 'spent_usd', string> & { last_ms: number | string }
  >(
    `SELECT lane, fingerprint, lane_hint, lane_org, standing, toString(spent) AS spent_usd, toUnixTimestamp64Milli(last_at) AS last_ms
     FROM ${from} WHERE is_unknown_in_use OR is_retired_in_use
     ORDER BY standing_risk + if(is_live, 100, 0) DESC, spent DESC, lane LIMIT ${BANNER_LANES_MAX}`,
    parameters,
  );
  return rows.map(({ lane, fingerprint, lane_hint: hint, lane_org: org, standing, spent_usd, last_ms }) => ({
    ...{ lane, hint, org, standing, cost_usd: spent_usd },
    registration: registrationOf({ fingerprint, org }, standing),
    last_seen: instantOf(Number(last_ms)),
  }));
}

interface LatestRow {
  lane: string;
  latest_session: string;
  latest_user: string;
  latest_ip: string;
  latest_agent: string;
  latest_agent_version: string;
  latest_model: string;
}

/** What the latest session of each lane cost since `fromMs`, by lane. */
async function readSessionCosts(store: ClickHouse, latest: LatestRow[], fromMs: number): Promise<Map<string, string>> {
  const named = latest.filter(({ latest_session: session }) => session !== '');
  if (named.length === 0) return new Map();
  const since = rowsSince(fromMs);
  const lanes = named.map(({ lane }) => lane);
  const sessions = named.map((row) => row.latest_session);
  const rows = await store.rows<{ lane: string; cost: string }>(
    `SELECT lane, toString(sum(cost_usd)) AS cost FROM ${store.database}.ledger
     WHERE lane IN {lanes:Array(String)} AND session IN {sessions:Array(String)}
       AND session = {sessions:Array(String)}[indexOf({lanes:Array(String)}, lane)] AND ${since.where}
     GROUP BY lane`,
    { lanes, sessions, ...since.parameters },
  );
  return new Map(rows.map(({ lane, cost }) => [lane, cost]));
}

/**
 * What the banner says of its lanes: the newest event of each, and what its session cost.
 * @param fromMs start of the window, epoch milliseconds
 */
export async function readBanner(
  store: ClickHouse,
  named: readonly Named[],
  fromMs: number,
  nowMs: number,
): Promise<BannerLane[]> {
  if (named.length === 0) return [];
  // Only the newest rows of a lane are compared: a busy one has millions, and its last instant is known.
  const lasts = named.map((lane) => Date.parse(lane.last_seen));
  const since = rowsSince(Math.min(...lasts), 'oldest');
  const rows = await store.rows<LatestRow>(
    `SELECT lane, argMax((session, \`user\`, ip, agent, agent_version, model), (seen_at, kafka_offset, record_index)) AS latest,
       latest.1 AS latest_session, latest.2 AS latest_user, latest.3 AS latest_ip, latest.4 AS latest_agent,
       latest.5 AS latest_agent_version, latest.6 AS latest_model
     FROM ${store.database}.ledger
     WHERE lane IN {lanes:Array(String)} AND ${since.where}
       AND toUnixTimestamp64Milli(seen_at) >= {lasts:Array(Int64)}[indexOf({lanes:Array(String)}, lane)]
     GROUP BY lane`,
    { lanes: named.map(({ lane }) => lane), lasts, ...since.parameters },
  );
  const latestOf = new Map(rows.map((row) => [row.lane, row]));
  const sessionCosts = await readSessionCosts(store, rows, fromMs);
  return named.map((lane) => {
    const latest = latestOf.get(lane.lane);
    const session = latest?.latest_session ?? '';
    return {
      lane: lane.lane,
      hint: lane.hint,
      org: lane.org,
      standing: lane.standing,
      registration: lane.registration,
      session,
      session_live: session !== '' && isLive(Date.parse(lane.last_seen), nowMs),
      user: latest?.latest_user ?? '',
      ip: latest?.latest_ip ?? '',
      agent: latest?.latest_agent ?? '',
      agent_version: latest?.latest_agent_version ?? '',
      model: latest?.latest_model ?? '',
      cost_usd: lane.cost_usd,
      session_cost_usd: sessionCosts.get(lane.lane) ?? '0',
      last_seen: lane.last_seen,
    };
  });
}
