import type { Overview } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { readOpenBySeverity } from '../findings/open-findings.ts';
import type { LaneFacts } from '../lanes/facts.ts';
import { readTrend } from '../ledger/trend.ts';
import { instantOf, windowStartMs } from '../ledger/window.ts';
import type { RegistryDatabase } from '../registry/database.ts';
import { readBanner, readBannerLanes } from './banner.ts';
import { readFigures } from './figures.ts';
import { readUnknownSessions } from './unknown-sessions.ts';

/** An overview but for the collectors, whose counts live in memory, and for what may be older than the rest. */
export type LedgerOverview = Omit<Overview, 'collectors' | 'count_trend'>;

/** The counts behind banner and strip, as of the facts. Every count is the length of the list that its link opens. */
export async function readOverview(store: ClickHouse, db: RegistryDatabase, facts: LaneFacts): Promise<LedgerOverview> {
  const { window, nowMs, lastStoredMs } = facts;
  const fromMs = windowStartMs(window, nowMs);
  const [figures, banner, unknown, trend, openFindings] = await Promise.all([
    readFigures(store, facts),
    readBannerLanes(store, facts).then((named) => readBanner(store, named, fromMs, nowMs)),
    readUnknownSessions(store, facts),
    readTrend(store, window, nowMs),
    readOpenBySeverity(store, db, nowMs),
  ]);
  return {
    window,
    from: instantOf(fromMs),
    // A clock of another machine may be ahead of ours.
    to: instantOf(Math.max(nowMs, figures.lastSeenMs + 1)),
    keys_observed: figures.keys,
    primary_org: figures.primaryOrg,
    known_lanes: figures.known,
    unknown_lanes: figures.unknown,
    refused_lanes: figures.refused,
    doubtful_lanes: figures.ambiguous + figures.retired,
    retired_lanes: figures.retired,
    shared_lanes: figures.shared,
    overshared_lanes: figures.overshared,
    weakly_governed_lanes: figures.weak,
    unknown_key_sessions: unknown.sessions,
    live_unknown_sessions: unknown.live,
    live_unknown_spend_usd: unknown.liveSpendUsd,
    unattributed_events: figures.unattributedEvents,
    events: figures.events,
    cost_usd: figures.costUsd,
    open_findings: openFindings,
    banner,
    trend,
    last_stored_at: lastStoredMs === null ? null : instantOf(lastStoredMs),
  };
}
