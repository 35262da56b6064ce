import type { ClickHouse } from '../clickhouse.ts';
import type { LaneFacts } from '../lanes/facts.ts';

/** The counts of strip and banner, each the length of the list that its link opens. */
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
}

/** One pass over all lanes. The org that most keys name is the one with more events among equals. */
export function figuresSql({ from }: Pick<LaneFacts, 'from'>): string {
  return `SELECT countIf(is_attributed) AS keys, countIf(standing = 'known') AS known, countIf(is_unknown_in_use) AS unknown,
      countIf(is_refused) AS refused,
      countIf(standing = 'ambiguous') AS ambiguous, countIf(is_retired_in_use) AS retired, countIf(is_shared) AS shared,
      countIf(is_overshared) AS overshared, countIf(is_weak) AS weak,
      sumIf(event_count, NOT is_attributed) AS unattributed_events, sum(event_count) AS events, toString(sum(spent)) AS cost,
      toUnixTimestamp64Milli(max(last_at)) AS last_ms,
      sumMapIf([lane_org], [1], [event_count], is_attributed AND lane_org != '') AS orgs,
      arrayReverseSort((org, lanes, events) -> (lanes, events), orgs.1, orgs.2, orgs.3)[1] AS primary_org
    FROM ${from}`;
}

type Row = Record<string, number | string> & { cost: string; primary_org: string };

/** Reads them. */
export async function readFigures(store: ClickHouse, facts: LaneFacts): Promise<Figures> {
  const [row] = await store.rows<Row>(figuresSql(facts), facts.parameters);
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
  };
}
