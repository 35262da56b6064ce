import type { Overview, Window } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { readOpenBySeverity } from '../findings/open-findings.ts';
import { laneOfRow, readLaneRows } from '../lanes/rows.ts';
import { readLastStoredMs } from '../ledger/last-stored.ts';
import { windowScope } from '../ledger/scope.ts';
import { readTrend } from '../ledger/trend.ts';
import { instantOf, windowStartMs } from '../ledger/window.ts';
import type { RegistryDatabase } from '../registry/database.ts';
import { readBanner } from './banner.ts';
import { readFigures } from './figures.ts';
import { readUnknownSessions } from './unknown-sessions.ts';

/** An overview but for the collectors, whose counts live in memory, and for what may be older than the rest. */
export type LedgerOverview = Omit<Overview, 'collectors' | 'count_trend'>;

/** The counts behind banner and strip, as the ledger has them now. Every count is the length of the list that its link opens. */
export async function readOverview(
  store: ClickHouse,
  db: RegistryDatabase,
  window: Window,
  nowMs: number,
): Promise<LedgerOverview> {
  const fromMs = windowStartMs(window, nowMs);
  // Before everything else: what it says is in the figures.
  const lastStoredMs = await readLastStoredMs(store);
  const [{ figures, banner }, unknown, trend, openFindings] = await Promise.all([
    readFiguresAndBanner(),
    readUnknownSessions(store, window, nowMs),
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

  async function readFiguresAndBanner() {
    const figures = await readFigures(store, window, nowMs);
    const rows = await readLaneRows(store, figures.bannerLanes, windowScope(window, nowMs), nowMs);
    const named = figures.bannerLanes.flatMap((lane) => rows.get(lane) ?? []).map((row) => laneOfRow(row, 0, window));
    return { figures, banner: await readBanner(store, named, fromMs, nowMs) };
  }
}
