import type { Overview, Window } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { readOpenFindings } from '../findings/findings.ts';
import type { OpenFindings } from '../findings/findings.ts';
import { readLastStoredMs } from '../last-stored.ts';
import { readUnknownUses } from '../overview/unknown-sessions.ts';
import type { UnknownUse } from '../overview/unknown-sessions.ts';
import type { RegistryDatabase } from '../registry/database.ts';
import { readTrend } from '../trend.ts';
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
}

/** A snapshot may grow this many times as old as it took to read, so that a slow read is not the engine's only work. */
const AGE_PER_DURATION = 3;
const AGE_MS_MAX = 10_000;

interface Entry {
  startedMs: number;
  /** null while the read runs. */
  durationMs: number | null;
  snapshot: Promise<LaneSnapshot>;
}

/**
 * Shares one read of everything that landing pages count between those that ask while it runs or soon after: the overview and
 * the table below it come from the same figures, and twenty open dashboards cost the engine what one does.
 * @param options.maxAgeMs how old a snapshot may be that is read fast; 0 shares nothing
 */
export function createLaneSnapshots(
  store: ClickHouse,
  db: RegistryDatabase,
  options: { maxAgeMs: number; now: () => number },
): LaneSnapshots {
  const { maxAgeMs, now } = options;
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

  function isFresh({ startedMs, durationMs }: Entry): boolean {
    if (maxAgeMs === 0) return false;
    if (durationMs === null) return true;
    return now() - startedMs < Math.min(AGE_MS_MAX, Math.max(maxAgeMs, durationMs * AGE_PER_DURATION));
  }

  return {
    read(window) {
      const newest = held.get(window);
      if (newest !== undefined && isFresh(newest)) return newest.snapshot;
      const entry: Entry = { startedMs: now(), durationMs: null, snapshot: take(window) };
      held.set(window, entry);
      entry.snapshot.then(
        () => (entry.durationMs = now() - entry.startedMs),
        // A failed read must not be handed out again.
        () => held.get(window) === entry && held.delete(window),
      );
      return entry.snapshot;
    },
  };
}
