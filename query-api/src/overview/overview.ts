import type { Lane, Overview } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { laneOfAggregate } from '../lanes/lane.ts';
import { hasReason, isAttributed, isShared } from '../lanes/list.ts';
import { isRetiredInUse } from '../lanes/posture.ts';
import type { LaneSnapshot } from '../lanes/snapshot.ts';
import { sumDollars } from '../ledger/money.ts';
import type { RegistrySnapshot } from '../registry/view.ts';
import { instantOf, windowStartMs } from '../ledger/window.ts';
import { readBanner } from './banner.ts';
import { collectorHealth } from './collectors.ts';
import type { CollectorTotals } from './collectors.ts';
import { unknownSessionsOf } from './unknown-sessions.ts';

const lanesMade = new WeakMap<LaneSnapshot, { registry: RegistrySnapshot; lanes: readonly Lane[] }>();

/** Lanes of a snapshot as the registry sees them now. Made once for both, however many pages and parts of one ask. */
export function lanesOfSnapshot(snapshot: LaneSnapshot, registry: RegistrySnapshot): readonly Lane[] {
  const made = lanesMade.get(snapshot);
  if (made?.registry === registry) return made.lanes;
  const { window, openFindings, takenMs } = snapshot;
  const lanes = snapshot.lanes.map((row) =>
    laneOfAggregate(row, registry, openFindings.byLane.get(row.lane) ?? 0, window, takenMs),
  );
  lanesMade.set(snapshot, { registry, lanes });
  return lanes;
}

/** The org that most keys name, the one with more events among equals; '' where none names one. */
function primaryOrgOf(keys: Lane[]): string {
  const byOrg = Map.groupBy(
    keys.filter(({ org }) => org !== ''),
    ({ org }) => org,
  );
  const eventsOf = (lanes: Lane[]): number => lanes.reduce((total, { events }) => total + events, 0);
  const [first] = [...byOrg].sort(([, a], [, b]) => b.length - a.length || eventsOf(b) - eventsOf(a));
  return first?.[0] ?? '';
}

/** An overview but for the collectors, whose counts live in memory. */
type Figures = Omit<Overview, 'collectors'>;

/** Every count is the length of the list that its link opens. */
async function readFigures(
  store: ClickHouse,
  snapshot: LaneSnapshot,
  registry: RegistrySnapshot,
  nowMs: number,
): Promise<Figures> {
  const { window, takenMs } = snapshot;
  const fromMs = windowStartMs(window, takenMs);
  const lanes = lanesOfSnapshot(snapshot, registry);
  const keys = lanes.filter(isAttributed);
  const standingOf = new Map(lanes.map(({ lane, standing }) => [lane, standing]));
  const countOf = (one: Lane['standing']): number => keys.filter(({ standing }) => standing === one).length;
  const retired = keys.filter(isRetiredInUse).length;
  const unknown = unknownSessionsOf(snapshot.unknownUses, takenMs, (lane) => standingOf.get(lane) === 'unknown');
  return {
    window,
    from: instantOf(fromMs),
    // A clock of another machine may be ahead of ours.
    to: instantOf(lanes.reduce((toMs, { last_seen }) => Math.max(toMs, Date.parse(last_seen) + 1), nowMs)),
    keys_observed: keys.length,
    primary_org: primaryOrgOf(keys),
    known_lanes: countOf('known'),
    unknown_lanes: countOf('unknown'),
    doubtful_lanes: countOf('ambiguous') + retired,
    retired_lanes: retired,
    shared_lanes: keys.filter(isShared).length,
    overshared_lanes: keys.filter((lane) => hasReason(lane, 'shared_too_broadly')).length,
    weakly_governed_lanes: keys.filter((lane) => hasReason(lane, 'weakly_governed')).length,
    unknown_key_sessions: unknown.sessions,
    live_unknown_sessions: unknown.live,
    live_unknown_spend_usd: unknown.liveSpendUsd,
    unattributed_events: lanes.find(({ standing }) => standing === 'unattributed')?.events ?? 0,
    events: lanes.reduce((total, { events }) => total + events, 0),
    cost_usd: sumDollars(lanes.map((lane) => lane.cost_usd)),
    open_findings: snapshot.openFindings.bySeverity,
    banner: await readBanner(store, keys, fromMs, takenMs),
    trend: snapshot.trend,
    last_stored_at: snapshot.lastStoredMs === null ? null : instantOf(snapshot.lastStoredMs),
  };
}

/** Reads overviews. */
export type Overviews = (snapshot: LaneSnapshot, registry: RegistrySnapshot) => Promise<Overview>;

/** Overviews that are made once for a snapshot and a state of the registry, however many pages ask. */
export function createOverviews(store: ClickHouse, collectors: CollectorTotals, now: () => number): Overviews {
  const held = new WeakMap<LaneSnapshot, { registry: RegistrySnapshot; figures: Promise<Figures> }>();

  function figuresOf(snapshot: LaneSnapshot, registry: RegistrySnapshot): Promise<Figures> {
    const made = held.get(snapshot);
    if (made?.registry === registry) return made.figures;
    const figures = readFigures(store, snapshot, registry, now());
    held.set(snapshot, { registry, figures });
    // A failed read must not be handed out again.
    figures.catch(() => held.get(snapshot)?.figures === figures && held.delete(snapshot));
    return figures;
  }

  return async (snapshot, registry) => ({
    ...(await figuresOf(snapshot, registry)),
    collectors: collectorHealth(registry, collectors.byCollector(), now()),
  });
}
