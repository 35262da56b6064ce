import type { Overview, Window } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { readOpenFindings } from '../findings/findings.ts';
import type { OpenFindings } from '../findings/findings.ts';
import { readLastStoredMs } from '../ledger/last-stored.ts';
import { readUnknownUses } from '../overview/unknown-sessions.ts';
import type { UnknownUse } from '../overview/unknown-sessions.ts';
import type { RegistryDatabase } from '../registry/database.ts';
import { readTrend } from '../ledger/trend.ts';
import { readLaneAggregates } from './aggregates.ts';
import type { LaneAggregate } from './aggregates.ts';

/** What the stores said at one moment; the registry is not in it, so that a registration shows at once. */
export interface LaneSnapshot {
  window: Window;
  takenMs: number;
  /** Everything stored up to then is in the figures; null for an empty ledger. Epoch milliseconds. */
  lastStoredMs: number | null;
  lanes: LaneAggregate[];
  unknownUses: UnknownUse[];
  trend: Overview['trend'];
  openFindings: OpenFindings;
}

export interface LaneSnapshots {
  read(window: Window): Promise<LaneSnapshot>;
  /** One that may be minutes old, for what is not worth reading all lanes anew. */
  recent(window: Window): Promise<LaneSnapshot>;
}

/** A snapshot is kept this many times as long as it took to read, so that a slow read is not the engine's only work. */
const KEPT_PER_DURATION = 2;
const KEPT_MS_MAX = 10_000;
const RECENT_MS = 5 * 60_000;

interface Entry {
  startedMs: number;
  /** null while the read runs. */
  endedMs: number | null;
  snapshot: Promise<LaneSnapshot>;
}

/**
 * Shares one read of everything that landing pages count between those that ask while it runs or soon after: the overview and
 * the table below it come from the same figures, and twenty open dashboards cost the engine what one does.
 * @param options.keptMs how long a snapshot is kept at least, counted from the end of its read; 0 shares nothing
 */
export function createLaneSnapshots(
  store: ClickHouse,
  db: RegistryDatabase,
  options: { keptMs: number; now: () => number },
): LaneSnapshots {
  const { keptMs, now } = options;
  const held = new Map<Window, Entry>();

  async function take(window: Window): Promise<LaneSnapshot> {
    const takenMs = now();
    const lastStoredMs = await readLastStoredMs(store);
    const [lanes, unknownUses, trend, openFindings] = await Promise.all([
      readLaneAggregates(store, window, takenMs),
      readUnknownUses(store, window, takenMs),
      readTrend(store, window, takenMs),
      readOpenFindings(store, db),
    ]);
    return { window, takenMs, lastStoredMs, lanes, unknownUses, trend, openFindings };
  }

  /** From the end of the read: counted from its start, one that takes long would be too old to share when it is there. */
  function isKept({ startedMs, endedMs }: Entry, atLeastMs: number): boolean {
    if (keptMs === 0) return false;
    if (endedMs === null) return true;
    const slowMs = Math.min(KEPT_MS_MAX, (endedMs - startedMs) * KEPT_PER_DURATION);
    return now() - endedMs < Math.max(atLeastMs, slowMs);
  }

  function read(window: Window, atLeastMs: number): Promise<LaneSnapshot> {
    const newest = held.get(window);
    if (newest !== undefined && isKept(newest, atLeastMs)) return newest.snapshot;
    const entry: Entry = { startedMs: now(), endedMs: null, snapshot: take(window) };
    held.set(window, entry);
    entry.snapshot.then(
      () => (entry.endedMs = now()),
      // A failed read must not be handed out again.
      () => held.get(window) === entry && held.delete(window),
    );
    return entry.snapshot;
  }

  return { read: (window) => read(window, keptMs), recent: (window) => read(window, RECENT_MS) };
}
