import type { CollectorCounts } from '@lanewatch/ingest/contract';

/** What this process counted per collector since it started; totals, so that a lost or repeated report changes nothing. */
export interface CollectorTally {
  add(collector: string, kind: 'stored' | 'duplicates' | 'dead_lettered', count: number): void;
  /** Publishes the totals that changed since they were published last. What can't be published now is so by a later call; rejects then. */
  report(nowMs: number, publish: (reports: CollectorCounts[]) => Promise<void>): Promise<void>;
}

export function createCollectorTally(instance: string, startedAtMs: number): CollectorTally {
  const totals = new Map<string, { stored: number; duplicates: number; dead_lettered: number }>();
  let changed = new Set<string>();
  const startedAt = new Date(startedAtMs).toISOString();

  return {
    add(collector, kind, count) {
      let total = totals.get(collector);
      if (total === undefined) totals.set(collector, (total = { stored: 0, duplicates: 0, dead_lettered: 0 }));
      total[kind] += count;
      changed.add(collector);
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
