import {
  credentialRecordKey,
  credentialRecordSchema,
  fingerprintOf,
  type CredentialRecord,
} from '@lanewatch/ingest/contract';
import type { Finding } from '../../../contract/index.ts';
import type { SweepReader } from '../reader.ts';
import { createSweeper } from '../sweeper.ts';
import { DAY_MS, type Guards } from '../sweep.ts';

export const HOUR = 3_600_000;
export const NOW = Date.parse('2026-11-18T12:00:00Z');
export const iso = (ms: number) => new Date(ms).toISOString();

/** A registered key that is 400 days old and well governed. */
export function record(name: string, fields: Partial<CredentialRecord> = {}): CredentialRecord {
  return credentialRecordSchema.parse({
    ...{ id: name, fingerprint: fingerprintOf(name), hint: `sk-${name}`, name, kind: 'registered', status: 'active' },
    ...{ created_at: iso(NOW - 400 * DAY_MS), version: 1, owner: 'ana', environment: 'staging' },
    ...{ expires_at: iso(NOW + 300 * DAY_MS), ...fields },
  });
}

/** Jobs over records and a ledger that a test sets, and all that they wrote. */
export function setup(records: CredentialRecord[], ledger: Partial<SweepReader> = {}) {
  const written = new Map<string, Finding>();
  const guards = new Map<string, Guards>();
  const writes: number[] = [];
  const sweeper = () =>
    createSweeper({
      records: () => records,
      reader: {
        lastUses: async () => new Map(records.map((one) => [credentialRecordKey(one), NOW - HOUR])),
        spends: async () => new Map(),
        collectorHours: async () => [],
        coverage: async () => [],
        floodsSince: async () => [],
        floods: async () => [],
        guards: async () => new Map(guards),
        writeGuards: async (some) => some.forEach((own, lane) => guards.set(lane, own)),
        ...ledger,
      },
      overrides: {},
      stored: async (ids) => new Set(ids.filter((id) => written.has(id))),
      write: async (findings) => {
        writes.push(findings.length);
        for (const finding of findings) written.set(finding.id, finding);
      },
    });
  return { sweeper, written, writes, rules: () => [...written.values()].map(({ rule }) => rule).sort() };
}
