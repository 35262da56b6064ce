import { credentialRecordKey, type CredentialRecord } from '@lanewatch/ingest/contract';
import type { Finding } from '../../contract/index.ts';
import { countsAt, findingOf, subjectOf } from './finding-of.ts';
import { guardsOf, type GuardSweep } from './r23-guard-removed.ts';
import type { SweepReader } from './reader.ts';
import type { Guards } from './sweep.ts';

export interface GuardWatchOptions {
  sweep: GuardSweep;
  reader: Pick<SweepReader, 'guards' | 'writeGuards'>;
  records(): Iterable<CredentialRecord>;
  write(findings: readonly Finding[]): Promise<void>;
}

/**
 * Compares what limits each key with what did when it was looked at last; that is kept in ClickHouse, so that nothing is missed while no
 * detector runs. The findings go first: were the new state kept first, a crash between the two would lose them.
 * The very first look only takes the state.
 */
export function createGuardWatch({ sweep, reader, records, write }: GuardWatchOptions) {
  let held: Map<string, Guards> | null = null;
  /** When a difference was seen first, which waits for being put back. */
  const waitingSince = new Map<string, number>();

  return {
    async run(nowMs: number): Promise<void> {
      const before = (held ??= await reader.guards());
      const isFirst = before.size === 0;
      const settled = new Map<string, Guards>();
      const findings: Finding[] = [];
      for (const record of records()) {
        if (!countsAt(record, nowMs)) continue;
        const lane = credentialRecordKey(record);
        const now = guardsOf(record);
        const known = before.get(lane) ?? null;
        if (known !== null && JSON.stringify(known) === JSON.stringify(now)) {
          waitingSince.delete(lane);
          continue;
        }
        const sinceMs = waitingSince.get(lane) ?? nowMs;
        const outcome = isFirst ? { decisions: [], settled: true } : sweep.decide(record, known, sinceMs, nowMs);
        for (const decision of outcome.decisions) findings.push(findingOf(sweep, subjectOf(record), decision, nowMs));
        if (outcome.settled) settled.set(lane, now);
        else waitingSince.set(lane, sinceMs);
      }
      await write(findings);
      if (settled.size > 0) await reader.writeGuards(settled, nowMs);
      for (const [lane, guards] of settled) {
        before.set(lane, guards);
        waitingSince.delete(lane);
      }
    },
  };
}
