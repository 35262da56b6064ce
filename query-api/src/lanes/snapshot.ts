import type { Window } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { readOpenFindings } from '../findings/findings.ts';
import type { OpenFindings } from '../findings/findings.ts';
import type { RegistryDatabase } from '../registry/database.ts';
import { readLaneAggregates } from './aggregates.ts';
import type { LaneAggregate } from './aggregates.ts';

/** What the stores said at one moment; the registry is not in it, so that a registration shows at once. */
export interface LaneSnapshot {
  takenMs: number;
  lanes: LaneAggregate[];
  openFindings: OpenFindings;
}

export interface LaneSnapshots {
  read(window: Window): Promise<LaneSnapshot>;
}

/**
 * Shares one read of all lanes between the pages that ask within `maxAgeMs`, and between all that ask while it runs: the
 * overview and the table below it come from the same figures, and twenty open dashboards cost the engine what one does.
 */
export function createLaneSnapshots(
  store: ClickHouse,
  db: RegistryDatabase,
  options: { maxAgeMs: number; now: () => number },
): LaneSnapshots {
  const held = new Map<Window, { startedMs: number; snapshot: Promise<LaneSnapshot> }>();

  async function take(window: Window): Promise<LaneSnapshot> {
    const takenMs = options.now();
    const [lanes, openFindings] = await Promise.all([
      readLaneAggregates(store, window, takenMs),
      readOpenFindings(store, db),
    ]);
    return { takenMs, lanes, openFindings };
  }

  return {
    read(window) {
      const newest = held.get(window);
      if (newest !== undefined && options.now() - newest.startedMs < options.maxAgeMs) return newest.snapshot;
      const entry = { startedMs: options.now(), snapshot: take(window) };
      held.set(window, entry);
      // A failed read must not be handed out again.
      entry.snapshot.catch(() => {
        if (held.get(window) === entry) held.delete(window);
      });
      return entry.snapshot;
    },
  };
}
