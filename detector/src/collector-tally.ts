import type { CollectorCounts } from '@lanewatch/ingest/contract';

/** What this process counted per collector since it started; totals, so that a lost or repeated report changes nothing. */
export interface CollectorTally {
  add(collector: string, kind: 'stored' | 'duplicates' | 'dead_lettered', count: number): void;
  /** Reports of the collectors whose counts changed since the last call. */
  takeChanged(nowMs: number): CollectorCounts[];
}

export function createCollectorTally(instance: string, startedAtMs: number): CollectorTally {
  const totals = new Map<string, { stored: number; duplicates: number; dead_lettered: number }>();
  const changed = new Set<string>();
  const startedAt = new Date(startedAtMs).toISOString();

  return {
    add(collector, kind, count) {
      let total = totals.get(collector);
      if (total === undefined) totals.set(collector, (total = { stored: 0, duplicates: 0, dead_lettered: 0 }));
      total[kind] += count;
      changed.add(collector);
    },
    takeChanged(nowMs) {
      const reports = [...changed].map((collector) => ({
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
      changed.clear();
      return reports;
    },
  };
}
