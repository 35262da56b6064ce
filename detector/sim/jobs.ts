import type { CredentialRecord } from '@lanewatch/ingest/contract';
import type { Finding } from '../contract/index.ts';
import type { RuleOverrides } from '../src/rules/parameters.ts';
import { createCollectorWatch } from '../src/sweeps/collector-watch.ts';
import { createGuardWatch } from '../src/sweeps/guard-watch.ts';
import { guardRemoved } from '../src/sweeps/r23-guard-removed.ts';
import { collectorSilent } from '../src/sweeps/r27-collector-silent.ts';
import type { Guards } from '../src/sweeps/sweep.ts';

export interface Jobs {
  /** Notes an event for what collectors usually send. */
  countEvent(collector: string, receivedMs: number): void;
  guards(nowMs: number): Promise<void>;
  collectors(nowMs: number): Promise<void>;
}

const HOUR_MS = 3_600_000;

/** Rules R23 and R27 over what a run has seen so far, in place of the ledger that they read otherwise. */
export function createJobs(parts: {
  records(): Iterable<CredentialRecord>;
  overrides: RuleOverrides;
  onFinding(finding: Finding, nowMs: number): void;
}): Jobs {
  const { records, overrides, onFinding } = parts;
  const hours = new Map<string, { collector: string; hourMs: number; minutes: number; lastMs: number }>();
  const guards = new Map<string, Guards>();
  const known = new Set<string>();
  let atMs = 0;

  async function write(findings: readonly Finding[]): Promise<void> {
    for (const finding of findings) {
      if (known.has(finding.id)) continue;
      known.add(finding.id);
      onFinding(finding, atMs);
    }
  }

  const guardWatch = createGuardWatch({
    sweep: guardRemoved(overrides.R23),
    reader: {
      guards: async () => new Map(guards),
      writeGuards: async (some) => some.forEach((own, lane) => guards.set(lane, own)),
    },
    ...{ records, write },
  });
  const collectorWatch = createCollectorWatch({
    sweep: collectorSilent(overrides.R27),
    reader: {
      collectorHours: async (sinceMs) => [...hours.values()].filter(({ hourMs }) => hourMs + HOUR_MS > sinceMs),
    },
    ...{ records, write },
  });

  return {
    countEvent(collector, receivedMs) {
      const hourMs = receivedMs - (receivedMs % HOUR_MS);
      const key = `${collector} ${hourMs}`;
      const hour = hours.get(key);
      if (hour === undefined) hours.set(key, { collector, hourMs, minutes: 1, lastMs: receivedMs });
      else {
        if (Math.floor(receivedMs / 60_000) > Math.floor(hour.lastMs / 60_000)) hour.minutes++;
        hour.lastMs = Math.max(hour.lastMs, receivedMs);
      }
    },
    guards(nowMs) {
      atMs = nowMs;
      return guardWatch.run(nowMs);
    },
    collectors(nowMs) {
      atMs = nowMs;
      return collectorWatch.run(nowMs);
    },
  };
}
