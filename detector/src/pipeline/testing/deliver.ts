import {
  fingerprintOf,
  ROW_VERSION_HEADER,
  USAGE_ROW_VERSION,
  type BusRecord,
  type CredentialRecord,
} from '@lanewatch/ingest/contract';
import { NOON } from './events.ts';
import { createClock, startPipeline, type Harness, type Overrides } from './harness.ts';
import type { MemoryLedger } from './memory-ledger.ts';

export const PARTITIONS = [0, 1];

/** One key of the log is registered; it was revoked in the midst of the times that events tell. */
const REVOKED: Partial<CredentialRecord> = {
  id: 'cred',
  fingerprint: fingerprintOf('0/2'),
  hint: 'sk-...1',
  name: 'key',
  kind: 'registered',
  status: 'revoked',
  created_at: '2026-11-01T00:00:00Z',
  revoked_at: new Date(NOON - 300 * 60_000).toISOString(),
  version: 1,
};

/** A record of rows or other lines, as ingest writes it. */
export function recordOf(partition: number, offset: number, lines: string[]): BusRecord {
  const headers = { [ROW_VERSION_HEADER]: USAGE_ROW_VERSION };
  return { partition, offset, key: null, value: Buffer.from(lines.join('\n')), headers, timestamp: NOON };
}

/** A detector in which one key of the log is registered, and revoked. */
export const start = (ledger: MemoryLedger, overrides: Overrides = {}, clock = createClock()): Harness =>
  startPipeline(ledger, [REVOKED], overrides, clock);

/** Delivers each partition's records from the resume offsets on, as a bus would. */
export async function deliver(harness: Harness, log: Map<number, BusRecord[]>): Promise<void> {
  const resume = await harness.pipeline.onAssignment(PARTITIONS);
  for (const partition of PARTITIONS) {
    const records = (log.get(partition) ?? []).filter(({ offset }) => offset >= (resume.get(partition) ?? 0));
    for (const record of records)
      await harness.pipeline.onBatch({ partition, records: [record], endOffset: record.offset + 1 });
  }
  await harness.pipeline.close();
}

/** What a ledger holds, by id. */
export const stored = (ledger: MemoryLedger) => ledger.rows.map((row) => row.id).sort();
