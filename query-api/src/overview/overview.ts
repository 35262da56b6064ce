import type { BannerLane, Lane, Overview, Window } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { laneOfAggregate } from '../lanes/lane.ts';
import { isAttributed, isShared } from '../lanes/list.ts';
import { isRetiredInUse, riskRankOf } from '../lanes/posture.ts';
import type { LaneSnapshot } from '../lanes/snapshot.ts';
import { nanoOf, sumDollars } from '../money.ts';
import type { RegistrySnapshot } from '../registry/view.ts';
import { readTrend } from '../trend.ts';
import { instantOf, isLive, windowStartMs } from '../window.ts';
import { collectorHealth } from './collectors.ts';
import type { CollectorTotals } from './collectors.ts';
import { readUnknownSessions } from './unknown-sessions.ts';

const BANNER_LANES_MAX = 10;

/** Lanes of a snapshot as the registry sees them now. */
export function lanesOfSnapshot(snapshot: LaneSnapshot, registry: RegistrySnapshot, window: Window): Lane[] {
  const { lanes, openFindings, takenMs } = snapshot;
  return lanes.map((row) => laneOfAggregate(row, registry, openFindings.byLane.get(row.lane) ?? 0, window, takenMs));
}

/** When anything was stored last, epoch milliseconds; null for an empty ledger. From part headers, so it costs nothing. */
export async function readLastStoredMs(store: ClickHouse, options?: { patienceMs: number }): Promise<number | null> {
  const [row] = await store.rows<{ last: number | string }>(
    `SELECT toUnixTimestamp64Milli(max(stored_at)) AS last FROM ${store.database}.ledger`,
    {},
    options,
  );
  const last = Number(row?.last ?? 0);
  return last === 0 ? null : last;
}

/** The counts behind banner and strip. Every count is the length of the list that its link opens. */
export async function readOverview(
  store: ClickHouse,
  input: {
    window: Window;
    snapshot: LaneSnapshot;
    registry: RegistrySnapshot;
    collectors: CollectorTotals;
    nowMs: number;
  },
): Promise<Overview> {
  const { window, snapshot, registry, nowMs } = input;
  const lanes = lanesOfSnapshot(snapshot, registry, window);
  const keys = lanes.filter(isAttributed);
  const standingOf = new Map(lanes.map(({ lane, standing }) => [lane, standing]));
  const countOf = (one: Lane['standing']): number => keys.filter(({ standing }) => standing === one).length;
  const retired = keys.filter(isRetiredInUse).length;
  const [unknown, trend, banner, lastStoredMs] = await Promise.all([
    readUnknownSessions(store, window, snapshot.takenMs, (lane) => standingOf.get(lane) === 'unknown'),
    readTrend(store, window, nowMs),
    readBanner(store, keys, window, snapshot.takenMs),
    readLastStoredMs(store),
  ]);
  return {
    window,
    from: instantOf(windowStartMs(window, nowMs)),
    to: instantOf(nowMs),
    keys_observed: keys.length,
    known_lanes: countOf('known'),
    unknown_lanes: countOf('unknown'),
    doubtful_lanes: countOf('ambiguous') + retired,
    retired_lanes: retired,
    shared_lanes: keys.filter(isShared).length,
    unknown_key_sessions: unknown.sessions,
    live_unknown_sessions: unknown.live,
    live_unknown_spend_usd: unknown.liveSpendUsd,
    unattributed_events: lanes.find(({ standing }) => standing === 'unattributed')?.events ?? 0,
    events: lanes.reduce((total, { events }) => total + events, 0),
    cost_usd: sumDollars(lanes.map((lane) => lane.cost_usd)),
    open_findings: snapshot.openFindings.bySeverity,
    banner,
    trend,
    collectors: collectorHealth(registry, input.collectors.byCollector(), nowMs),
    last_stored_at: lastStoredMs === null ? null : instantOf(lastStoredMs),
  };
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

/** The lanes that the banner names: doubtful keys, live ones first, dearest first among equals. */
async function readBanner(store: ClickHouse, keys: Lane[], window: Window, nowMs: number): Promise<BannerLane[]> {
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
  const rows = await store.rows<LatestRow>(
    `SELECT lane, argMax((session, \`user\`, ip, agent, agent_version, model), (seen_at, kafka_offset, record_index)) AS latest,
       latest.1 AS latest_session, latest.2 AS latest_user, latest.3 AS latest_ip, latest.4 AS latest_agent,
       latest.5 AS latest_agent_version, latest.6 AS latest_model
     FROM ${store.database}.ledger
     WHERE has({lanes:Array(String)}, lane) AND seen_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
     GROUP BY lane`,
    { lanes: named.map(({ lane }) => lane), from: windowStartMs(window, nowMs) },
  );
  const latestOf = new Map(rows.map((row) => [row.lane, row]));
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
      last_seen: lane.last_seen,
    };
  });
}
