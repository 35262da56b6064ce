import type { CredentialRecord } from '@lanewatch/ingest/contract';
import { mayShipEvents } from '@lanewatch/ingest/contract';
import type { Finding } from '../../contract/index.ts';
import { countsAt, findingOf, subjectOf } from './finding-of.ts';
import { missedBetween, type CollectorSweep } from './r27-collector-silent.ts';
import type { SweepReader } from './reader.ts';
import { DAY_MS } from './sweep.ts';

export interface CollectorWatchOptions {
  sweep: CollectorSweep;
  reader: Pick<SweepReader, 'collectorHours'>;
  records(): Iterable<CredentialRecord>;
  write(findings: readonly Finding[]): Promise<void>;
}

/** What is usual is read anew this often; the rest of the time the newest rows suffice. */
const HISTORY_MS = 3_600_000;
const RECENT_MS = 2 * 3_600_000;
const HISTORY_DAYS = 15;

/** Looks whether collectors that usually send do. */
export function createCollectorWatch({ sweep, reader, records, write }: CollectorWatchOptions) {
  const counts = new Map<string, Map<number, number>>();
  const lastMs = new Map<string, number>();
  let readMs = -Infinity;
  let sinceMs = Infinity;

  return {
    async run(nowMs: number): Promise<void> {
      const isDue = nowMs - readMs >= HISTORY_MS;
      const fromMs = isDue ? nowMs - HISTORY_DAYS * DAY_MS : nowMs - RECENT_MS;
      if (isDue) {
        counts.clear();
        readMs = nowMs;
      }
      for (const { collector, hourMs, minutes, lastMs: last } of await reader.collectorHours(fromMs)) {
        const hours = counts.get(collector) ?? new Map<number, number>();
        counts.set(collector, hours);
        if (isDue) hours.set(hourMs, minutes);
        lastMs.set(collector, Math.max(last, lastMs.get(collector) ?? 0));
        sinceMs = Math.min(sinceMs, hourMs);
      }
      const findings: Finding[] = [];
      for (const record of records()) {
        const lastReceivedMs = lastMs.get(record.id);
        if (lastReceivedMs === undefined || !mayShipEvents(record) || !countsAt(record, nowMs)) continue;
        const hours = counts.get(record.id);
        const countAt = (hourMs: number) => (hourMs < sinceMs ? null : (hours?.get(hourMs) ?? 0));
        const state = {
          collector: record.id,
          name: record.name,
          lastReceivedMs,
          expectedSince: missedBetween(lastReceivedMs, nowMs, countAt),
        };
        for (const decision of sweep.decide(state, nowMs))
          findings.push(findingOf(sweep, subjectOf(record), decision, nowMs));
      }
      await write(findings);
    },
  };
}
