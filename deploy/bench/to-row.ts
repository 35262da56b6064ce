import type { UsageEvent } from '@lanewatch/ingest/contract';
import type { LedgerRow } from '@lanewatch/detector/contract';

/** The event as a ledger row of an unregistered key. */
export function toRow(event: UsageEvent): LedgerRow {
  return {
    ...event,
    event_hash_low: 0,
    event_hash_high: 0,
    lane: event.fingerprint,
    seen_at: Math.min(event.time, event.received_at),
    standing: 'unknown',
    match: 'none',
    credential_id: '',
    findings: [],
    evidence: [],
    lane_profile: '',
    calls: 1,
    joins: '',
    kafka_partition: 0,
    kafka_offset: 0,
    record_index: 0,
    stored_at: event.received_at,
    claimant: '',
  };
}
