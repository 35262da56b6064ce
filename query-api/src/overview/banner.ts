import type { BannerLane, Lane } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { isRetiredInUse, riskRankOf } from '../lanes/posture.ts';
import { nanoOf } from '../ledger/money.ts';
import { isLive } from '../ledger/window.ts';

const BANNER_LANES_MAX = 10;

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
  const rows = await store.rows<{ lane: string; cost: string }>(
    `SELECT lane, toString(sum(cost_usd)) AS cost FROM ${store.database}.ledger
     WHERE lane IN {lanes:Array(String)} AND session = {sessions:Array(String)}[indexOf({lanes:Array(String)}, lane)]
       AND seen_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
     GROUP BY lane`,
    { lanes: named.map(({ lane }) => lane), sessions: named.map((row) => row.latest_session), from: fromMs },
  );
  return new Map(rows.map(({ lane, cost }) => [lane, cost]));
}

/**
 * The lanes that the banner names: doubtful keys, live ones first, dearest first among equals.
 * @param fromMs start of the window, epoch milliseconds
 */
export async function readBanner(
  store: ClickHouse,
  keys: Lane[],
  fromMs: number,
  nowMs: number,
): Promise<BannerLane[]> {
  const named = keys
    .filter((lane) => lane.standing === 'unknown' || isRetiredInUse(lane))
    .map((lane) => ({
      lane,
      rank: riskRankOf({ ...lane, posture: [] }, isLive(Date.parse(lane.last_seen), nowMs)),
      nano: nanoOf(lane.cost_usd),
    }))
    .sort(
      (a, b) =>
        b.rank - a.rank || (a.nano < b.nano ? 1 : a.nano > b.nano ? -1 : 0) || (a.lane.lane < b.lane.lane ? -1 : 1),
    )
    .slice(0, BANNER_LANES_MAX)
    .map(({ lane }) => lane);
  if (named.length === 0) return [];
  // Only the newest rows of a lane are compared: a busy one has millions, and its last instant is known.
  const lasts = named.map((lane) => Date.parse(lane.last_seen));
  const rows = await store.rows<LatestRow>(
    `SELECT lane, argMax((session, \`user\`, ip, agent, agent_version, model), (seen_at, kafka_offset, record_index)) AS latest,
       latest.1 AS latest_session, latest.2 AS latest_user, latest.3 AS latest_ip, latest.4 AS latest_agent,
       latest.5 AS latest_agent_version, latest.6 AS latest_model
     FROM ${store.database}.ledger
     WHERE lane IN {lanes:Array(String)} AND seen_at >= fromUnixTimestamp64Milli({oldest:Int64}, 'UTC')
       AND toUnixTimestamp64Milli(seen_at) >= {lasts:Array(Int64)}[indexOf({lanes:Array(String)}, lane)]
     GROUP BY lane`,
    { lanes: named.map(({ lane }) => lane), lasts, oldest: Math.min(...lasts) },
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
