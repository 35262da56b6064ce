import type { Lane, LaneDetail, Window } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { rowsSince, windowScope } from '../ledger/scope.ts';
import { readTrend } from '../ledger/trend.ts';
import { instantOf, windowStartMs } from '../ledger/window.ts';
import { nearestOf } from './compare.ts';
import type { Candidate } from './compare.ts';
import { namesAsSentUntil, readCanonicalSince } from './names-as-sent.ts';
import type { LaneFacts } from './facts.ts';
import { laneOfRow, readFactRows, readLaneRows, withoutEvents } from './rows.ts';
import { readTopology } from './topology.ts';

/** When the ledger saw a lane first, epoch milliseconds; from the roll-up, because a lane may have millions of rows. */
export const firstSeenSql = (database: string): string =>
  `SELECT toUnixTimestamp64Milli(min(seen_at)) AS first FROM ${database}.ledger WHERE lane = {lane:String}`;

/** What can be done about a lane's key from here. Pure. */
function actionsOf(lane: Lane): LaneDetail['response_path']['credential_actions'] {
  if (lane.registration === 'helps') return ['register'];
  return lane.standing === 'revoked' || lane.credential === null ? [] : ['revoke'];
}

/** One lane in a window, without its findings; where it has no events there, its counts are zero and its instants those of all time. Null: no event ever. */
export async function readLane(store: ClickHouse, lane: string, facts: LaneFacts): Promise<Lane | null> {
  const { window, nowMs } = facts;
  const inWindow =
    (await readFactRows(store, facts, [lane])).get(lane) ??
    // It may have begun since.
    (await readLaneRows(store, [lane], windowScope(window, nowMs), nowMs)).get(lane);
  if (inWindow !== undefined) return laneOfRow(inWindow, 0, window);
  const ever = (await readLaneRows(store, [lane], { where: '1', parameters: {} }, nowMs)).get(lane);
  return ever === undefined ? null : laneOfRow(withoutEvents(ever), 0, window);
}

/** The four topology groups and the trend of one lane. */
export async function readLaneDetail(
  store: ClickHouse,
  input: {
    lane: Lane;
    /** Known lanes to hold it against, read beside the rest. */
    candidates: () => Promise<readonly Candidate[]>;
    findings: LaneDetail['response_path']['findings'];
    window: Window;
    nowMs: number;
  },
): Promise<LaneDetail> {
  const { lane, findings, window, nowMs } = input;
  const fromMs = windowStartMs(window, nowMs);
  const since = rowsSince(fromMs);
  const rows = {
    where: `lane = {lane:String} AND ${since.where}`,
    parameters: { lane: lane.lane, ...since.parameters },
  };
  const [candidates, topology, trend, canonicalSinceMs, [ever]] = await Promise.all([
    input.candidates(),
    readTopology(store, rows, nowMs),
    readTrend(store, window, nowMs, lane.lane),
    readCanonicalSince(store),
    store.rows<{ first: number | string }>(firstSeenSql(store.database), { lane: lane.lane }),
  ]);
  const firstSeenEver = ever === undefined ? lane.first_seen : instantOf(Number(ever.first));
  return {
    ...lane,
    window,
    from: instantOf(fromMs),
    // A clock of another machine may be ahead of ours, and rows may have come while these were read.
    to: instantOf(Math.max(nowMs, Date.parse(lane.last_seen) + 1)),
    first_seen_ever: firstSeenEver,
    names_as_sent_until: namesAsSentUntil(canonicalSinceMs, fromMs, Date.parse(firstSeenEver)),
    ...topology,
    known_comparables: nearestOf(lane, topology, candidates),
    response_path: { findings, credential_actions: actionsOf(lane) },
    // Not split by standing: one lane's rows mostly have one.
    trend: trend.map(({ at, events, cost_usd }) => ({ at, events, cost_usd })),
  };
}
