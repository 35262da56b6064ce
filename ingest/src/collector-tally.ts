import { type Bus, type CollectorCounts, collectorCountsKey } from '../contract/index.ts';

/** What one request added for its collector. */
interface Tally {
  accepted: number;
  rejected: number;
  ignored: number;
  redacted: number;
}

export interface CollectorTallies {
  add(collector: string, tally: Tally, receivedAt: number): void;
  /** Publishes the totals that changed since the last call. A failure is kept for the next call and not thrown. */
  report(now: number): Promise<void>;
}

export interface CollectorTalliesOptions {
  bus: Pick<Bus, 'publish'>;
  topic: string;
  instance: string;
  /** Epoch milliseconds. */
  startedAt: number;
  /** Whether accepted events wait in the spool. */
  hasSpooled(): boolean;
  onFault(error: unknown): void;
}

/** Totals per collector since this process started. There are as many as credentials that ever shipped, so the size is bounded. */
export function createCollectorTallies(options: CollectorTalliesOptions): CollectorTallies {
  const totals = new Map<string, Tally & { lastReceivedAt: number }>();
  let changed = new Set<string>();
  return {
    add(collector, tally, receivedAt) {
      let total = totals.get(collector);
      if (total === undefined) {
        total = { accepted: 0, rejected: 0, ignored: 0, redacted: 0, lastReceivedAt: 0 };
        totals.set(collector, total);
      }
      total.accepted += tally.accepted;
      total.rejected += tally.rejected;
      total.ignored += tally.ignored;
      total.redacted += tally.redacted;
      total.lastReceivedAt = receivedAt;
      changed.add(collector);
    },
    async report(now) {
      if (changed.size === 0) return;
      const reported = changed;
      const spooled = options.hasSpooled();
      // Reported again once the spool is empty: until then nobody may take these events for read off the bus.
      changed = new Set(spooled ? reported : []);
      const records = [...reported].map((collector) => {
        const { accepted, rejected, ignored, redacted, lastReceivedAt } = totals.get(collector)!;
        const counts: CollectorCounts = {
          instance: options.instance,
          instance_started_at: new Date(options.startedAt).toISOString(),
          service: 'ingest',
          collector,
          reported_at: new Date(now).toISOString(),
          last_received_at: new Date(lastReceivedAt).toISOString(),
          accepted,
          rejected,
          ignored,
          redacted,
          spooled,
          stored: 0,
          duplicates: 0,
          dead_lettered: 0,
          moved: 0,
          moved_sources: [],
        };
        return { key: collectorCountsKey(counts), value: Buffer.from(JSON.stringify(counts)) };
      });
      try {
        await options.bus.publish(options.topic, records);
      } catch (error) {
        for (const collector of reported) changed.add(collector);
        options.onFault(error);
      }
    },
  };
}
