import { credentialRecordKey, UNATTRIBUTED_LANE, type CredentialRecord } from '@lanewatch/ingest/contract';
import { RISK_OF, type Finding } from '../../contract/index.ts';
import { FLOOD_LIMITS } from '../findings/flood-guard.ts';
import { DAY_MS } from './sweep.ts';

/** Rows of a day on which findings of a rule were too many of one collector. Times are epoch milliseconds. */
export interface Flood {
  /** Of the finding that counts them. */
  id: string;
  collector: string;
  severity: Finding['severity'];
  rows: number;
  /** Keys that they are of. */
  lanes: number;
  firstMs: number;
  lastMs: number;
  lastReceivedMs: number;
}

export interface FloodReader {
  /** The findings that rows stored since count what is too many in. */
  floodsSince(sinceMs: number): Promise<string[]>;
  /** What all rows say of these. */
  floods(ids: readonly string[]): Promise<Flood[]>;
}

export interface FloodWatchOptions {
  reader: FloodReader;
  records(): Iterable<CredentialRecord>;
  /** Stores findings, those that are stored already with more occurrences as well. */
  write(findings: Finding[]): Promise<void>;
}

/** A row is looked for again for so long, because writers' clocks differ. */
const OVERLAP_MS = 5 * 60_000;

/**
 * Makes the findings that say how much there is besides what was raised: one of a rule, a collector and a day, on the collector's own key,
 * which is the one to revoke. They grow with their rows.
 */
export function createFloodWatch({ reader, records, write }: FloodWatchOptions) {
  /** Rows of each when it was written last. */
  const written = new Map<string, number>();
  let sinceMs = -Infinity;

  return {
    async run(nowMs: number): Promise<void> {
      const ids = await reader.floodsSince(Math.max(sinceMs, nowMs - DAY_MS));
      if (ids.length > 0) {
        const floods = (await reader.floods(ids)).filter(({ id, rows }) => written.get(id) !== rows);
        const byId = new Map([...records()].filter(({ is_current }) => is_current).map((one) => [one.id, one]));
        if (floods.length > 0) await write(floods.map((flood) => findingOf(flood, byId.get(flood.collector))));
        for (const { id, rows } of floods) written.set(id, rows);
      }
      sinceMs = nowMs - OVERLAP_MS;
    },
  };
}

function findingOf(flood: Flood, record: CredentialRecord | undefined): Finding {
  const { id, collector, severity, rows, lanes } = flood;
  const instant = (ms: number) => new Date(ms).toISOString();
  return {
    id,
    rule: id.slice(0, 3),
    lane: record === undefined ? UNATTRIBUTED_LANE : credentialRecordKey(record),
    fingerprint: record?.fingerprint ?? '',
    hint: record?.hint ?? '',
    org: record?.org ?? '',
    credential_id: record?.id ?? '',
    severity,
    risk: RISK_OF[severity],
    first_seen: instant(flood.firstMs),
    last_seen: instant(flood.lastMs),
    last_received_at: instant(flood.lastReceivedMs),
    occurrences: rows,
    facts: { grouped: true, collector: record?.name || collector, lanes },
    parameters: { findings_max: FLOOD_LIMITS.findingsMax, window_ms: FLOOD_LIMITS.windowMs },
    ledger_filter: { finding: id },
  };
}
