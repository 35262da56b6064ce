import { MOVED_SOURCE_CHARS_MAX, MOVED_SOURCES_MAX, type CollectorCounts } from '@lanewatch/ingest/contract';

type Counted = 'stored' | 'duplicates' | 'dead_lettered' | 'moved';

/** What this process counted per collector since it started; totals, so that a lost or repeated report changes nothing. */
export interface CollectorTally {
  add(collector: string, kind: 'stored' | 'duplicates' | 'dead_lettered', count: number): void;
  /** Counts an event that lay on another partition than its key's, and notes who made it. */
  addMoved(collector: string, source: string): void;
  /** Publishes the totals that changed since they were published last. What can't be published now is so by a later call; rejects then. */
  report(nowMs: number, publish: (reports: CollectorCounts[]) => Promise<void>): Promise<void>;
}

export function createCollectorTally(instance: string, startedAtMs: number): CollectorTally {
  const totals = new Map<string, Pick<CollectorCounts, Counted | 'moved_sources'>>();
  let changed = new Set<string>();
  const startedAt = new Date(startedAtMs).toISOString();

  function totalOf(collector: string) {
    let total = totals.get(collector);
    if (total === undefined)
      totals.set(collector, (total = { stored: 0, duplicates: 0, dead_lettered: 0, moved: 0, moved_sources: [] }));
    changed.add(collector);
    return total;
  }

  return {
    add(collector, kind, count) {
      totalOf(collector)[kind] += count;
    },
    addMoved(collector, source) {
      const total = totalOf(collector);
      total.moved++;
      const name = source.slice(0, MOVED_SOURCE_CHARS_MAX);
      if (total.moved_sources.length < MOVED_SOURCES_MAX && !total.moved_sources.includes(name))
        total.moved_sources.push(name);
    },
    async report(nowMs, publish) {
      if (changed.size === 0) return;
      const reported = changed;
      changed = new Set();
      const reports = [...reported].map((collector) => ({
        instance,
        instance_started_at: startedAt,
        service: 'detector' as const,
        collector,
        reported_at: new Date(nowMs).toISOString(),
        last_received_at: null,
        accepted: 0,
        rejected: 0,
        ignored: 0,
        redacted: 0,
        spooled: false,
        ...totals.get(collector)!,
      }));
      try {
        await publish(reports);
      } catch (error) {
        for (const collector of reported) changed.add(collector);
        throw error;
      }
    },
  };
}
