import { credentialRecordKey, expiredFromMs, revokedFromMs, type CredentialRecord } from '@lanewatch/ingest/contract';
import { findingIdOf, RISK_OF, type Finding, type RuleId } from '../../contract/index.ts';
import type { ParameterValues } from '../rules/parameters.ts';
import type { Decision } from './sweep.ts';

/** Whom a decision is about. */
interface Subject {
  lane: string;
  fingerprint: string;
  hint: string;
  org: string;
  credential_id: string;
}

/**
 * The finding of a decision. No ledger row carries it, so it is one occurrence, and its link shows the rows of its lane.
 * @param nowMs when it is written first: since when it holds where the decision does not say
 */
export function findingOf(
  rule: { id: RuleId; parameters: ParameterValues },
  { lane, ...subject }: Subject,
  { dedupe, severity, facts, sinceMs }: Decision,
  nowMs: number,
): Finding {
  const since = new Date(sinceMs ?? nowMs).toISOString();
  return {
    id: findingIdOf(rule.id, lane, dedupe),
    rule: rule.id,
    lane,
    ...subject,
    severity,
    risk: RISK_OF[severity],
    first_seen: since,
    last_seen: since,
    last_received_at: since,
    occurrences: 1,
    facts,
    parameters: rule.parameters,
    ledger_filter: { lane },
  };
}

/** Whether it is the secret that its credential has now, neither revoked nor expired. */
export function countsAt(record: CredentialRecord, nowMs: number): boolean {
  return record.is_current && nowMs < revokedFromMs(record) && nowMs < expiredFromMs(record);
}

export function subjectOf(record: CredentialRecord): Subject {
  return {
    lane: credentialRecordKey(record),
    fingerprint: record.fingerprint,
    hint: record.hint,
    org: record.org,
    credential_id: record.id,
  };
}
