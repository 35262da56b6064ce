import { setImmediate as nextTurn } from 'node:timers/promises';
import { credentialRecordKey, mayShipEvents, periodStartMs, type CredentialRecord } from '@lanewatch/ingest/contract';
import type { Finding } from '../../contract/index.ts';
import type { RuleOverrides } from '../rules/parameters.ts';
import { createCollectorWatch } from './collector-watch.ts';
import { createFloodWatch } from './flood-watch.ts';
import { createGuardWatch } from './guard-watch.ts';
import { countsAt, findingOf, subjectOf } from './finding-of.ts';
import { idle } from './r18-idle.ts';
import { rotationOverdue } from './r20-rotation-overdue.ts';
import { expiring } from './r21-expiring.ts';
import { weakGovernance } from './r22-weak-governance.ts';
import { guardRemoved } from './r23-guard-removed.ts';
import { budget } from './r26-budget.ts';
import { collectorSilent } from './r27-collector-silent.ts';
import { coverageGap } from './r28-coverage-gap.ts';
import type { SweepReader } from './reader.ts';
import { DAY_MS } from './sweep.ts';

export interface SweeperOptions {
  /** The registry's records now. */
  records(): Iterable<CredentialRecord>;
  reader: SweepReader;
  overrides: RuleOverrides;
  /** Which of these findings are stored already. */
  stored(ids: string[]): Promise<Set<string>>;
  /** Stores and publishes findings. */
  write(findings: Finding[]): Promise<void>;
}

/** The rules that a job decides. Every run finds the same again and writes only what is new. */
export interface Sweeper {
  /** R18, R20, R21, R22, R26 of every key that counts. */
  keys(nowMs: number): Promise<void>;
  /** R23. */
  guards(nowMs: number): Promise<void>;
  /** R27. */
  collectors(nowMs: number): Promise<void>;
  /** What is too many to be raised. */
  floods(nowMs: number): Promise<void>;
  /** R28. */
  coverage(nowMs: number): Promise<void>;
}

/** Keys decided and findings written in one go; the event loop gets its turn between. */
const BATCH = 1_000;
/** Ids known to be stored, remembered so that they are not asked for again. */
const KNOWN_MAX = 500_000;
/** Providers correct their totals for some days. */
const COVERAGE_DAYS = 7;
const PERIODS = ['day', 'week', 'month'] as const;

export function createSweeper(options: SweeperOptions): Sweeper {
  const { records, reader, overrides } = options;
  const keySweeps = [
    idle(overrides.R18),
    rotationOverdue(overrides.R20),
    expiring(overrides.R21),
    weakGovernance(overrides.R22),
    budget(overrides.R26),
  ];
  const coverage = coverageGap(overrides.R28);
  const known = new Set<string>();

  /** Writes those that are not stored yet. */
  async function write(findings: readonly Finding[]): Promise<void> {
    const unknown = findings.filter(({ id }) => !known.has(id));
    for (let at = 0; at < unknown.length; at += BATCH) {
      const some = unknown.slice(at, at + BATCH);
      const stored = await options.stored(some.map(({ id }) => id));
      const fresh = some.filter(({ id }) => !stored.has(id));
      if (fresh.length > 0) await options.write(fresh);
      if (known.size + some.length > KNOWN_MAX) known.clear();
      for (const { id } of some) known.add(id);
    }
  }

  const guardWatch = createGuardWatch({ sweep: guardRemoved(overrides.R23), reader, records, write });
  const collectorWatch = createCollectorWatch({ sweep: collectorSilent(overrides.R27), reader, records, write });

  // They grow, so whether one is stored says nothing.
  const floodWatch = createFloodWatch({ reader, records, write: options.write });

  async function keys(nowMs: number): Promise<void> {
    const uses = await reader.lastUses();
    const since = PERIODS.map((period) => periodStartMs(period, nowMs)) as [number, number, number];
    const spends = await reader.spends(since);
    const spentById = spentOf(records(), spends);
    let findings: Finding[] = [];
    let taken = 0;
    for (const record of records()) {
      if (++taken % BATCH === 0) {
        await write(findings);
        findings = [];
        await nextTurn();
      }
      if (!countsAt(record, nowMs)) continue;
      const lane = credentialRecordKey(record);
      const spent =
        record.budget === null ? 0 : (spentById.get(record.id)?.[PERIODS.indexOf(record.budget.period)] ?? 0);
      const key = { record, lastUseMs: uses.get(lane) ?? null, spentNanoUsd: spent };
      for (const sweep of keySweeps) {
        // A collector's key ships events instead of making calls; R27 looks after it.
        if (sweep.id === 'R18' && mayShipEvents(record)) continue;
        for (const decision of sweep.decide(key, nowMs))
          findings.push(findingOf(sweep, subjectOf(record), decision, nowMs));
      }
    }
    await write(findings);
  }

  return {
    keys,
    guards: guardWatch.run,
    collectors: collectorWatch.run,
    floods: floodWatch.run,
    async coverage(nowMs) {
      const days = await reader.coverage(nowMs - COVERAGE_DAYS * DAY_MS);
      const byId = new Map([...records()].filter(({ is_current }) => is_current).map((record) => [record.id, record]));
      const findings = days.flatMap(({ credentialId, ...day }) => {
        const record = byId.get(credentialId);
        if (record === undefined || day.dayMs + DAY_MS > nowMs) return [];
        return coverage.decide(day).map((decision) => findingOf(coverage, subjectOf(record), decision, nowMs));
      });
      await write(findings);
    },
  };
}

/** A budget is the credential's: all secrets it ever had spend of it. */
function spentOf(
  records: Iterable<CredentialRecord>,
  spends: ReadonlyMap<string, [number, number, number]>,
): Map<string, [number, number, number]> {
  const byId = new Map<string, [number, number, number]>();
  for (const record of records) {
    const own = spends.get(credentialRecordKey(record));
    if (own === undefined) continue;
    const sum = byId.get(record.id) ?? [0, 0, 0];
    byId.set(record.id, [sum[0] + own[0], sum[1] + own[1], sum[2] + own[2]]);
  }
  return byId;
}
