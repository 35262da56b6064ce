import type { Window } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { lanesParameters, lanesSql } from '../lanes/states.ts';
import { windowScope } from '../ledger/scope.ts';

/** Lanes that the banner names; the counts beside them are complete. */
const BANNER_LANES_MAX = 10;

/** The counts of strip and banner, each the length of the list that its link opens; and the lanes that the banner names, worst first. */
export interface Figures {
  keys: number;
  known: number;
  unknown: number;
  refused: number;
  ambiguous: number;
  retired: number;
  shared: number;
  overshared: number;
  weak: number;
  unattributedEvents: number;
  events: number;
  costUsd: string;
  primaryOrg: string;
  /** Epoch milliseconds; 0 without an event. */
  lastSeenMs: number;
  bannerLanes: string[];
}

/** One pass over all lanes. The org that most keys name is the one with more events among equals. */
export function figuresSql(database: string, window: Window, nowMs: number): string {
  const columns = ['newest_org', 'event_count', 'spent'] as const;
  return `SELECT countIf(is_attributed) AS keys, countIf(standing = 'known') AS known, countIf(is_unknown_in_use) AS unknown,
      countIf(is_refused) AS refused,
      countIf(standing = 'ambiguous') AS ambiguous, countIf(is_retired_in_use) AS retired, countIf(is_shared) AS shared,
      countIf(is_overshared) AS overshared, countIf(is_weak) AS weak,
      sumIf(event_count, NOT is_attributed) AS unattributed_events, sum(event_count) AS events, toString(sum(spent)) AS cost,
      toUnixTimestamp64Milli(max(last_at)) AS last_ms,
      sumMapIf([lane_org], [1], [event_count], is_attributed AND lane_org != '') AS orgs,
      arrayReverseSort((org, lanes, events) -> (lanes, events), orgs.1, orgs.2, orgs.3)[1] AS primary_org,
      arrayMap(lane -> lane.3, groupArraySortedIf(${BANNER_LANES_MAX})(
        (-(standing_risk + if(is_live, 100, 0)), -spent, lane), is_unknown_in_use OR is_retired_in_use)) AS banner_lanes
    FROM (${lanesSql(database, windowScope(window, nowMs), columns)})`;
}

type Row = Record<string, number | string> & { cost: string; primary_org: string; banner_lanes: string[] };

/** Reads them. */
export async function readFigures(store: ClickHouse, window: Window, nowMs: number): Promise<Figures> {
  const [row] = await store.rows<Row>(figuresSql(store.database, window, nowMs), {
    ...windowScope(window, nowMs).parameters,
    ...lanesParameters(nowMs),
  });
  const count = (name: string): number => Number(row?.[name] ?? 0);
  return {
    keys: count('keys'),
    known: count('known'),
    unknown: count('unknown'),
    refused: count('refused'),
    ambiguous: count('ambiguous'),
    retired: count('retired'),
    shared: count('shared'),
    overshared: count('overshared'),
    weak: count('weak'),
    unattributedEvents: count('unattributed_events'),
    events: count('events'),
    costUsd: row?.cost ?? '0',
    primaryOrg: row?.primary_org ?? '',
    lastSeenMs: count('last_ms'),
    bannerLanes: row?.banner_lanes ?? [],
  };
}
