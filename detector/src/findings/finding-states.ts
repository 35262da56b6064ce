import { findingIdOf, RISK_OF, type Finding } from '../../contract/index.ts';
import type { LedgerRow } from '../../contract/index.ts';
import type { LaneState } from '../lane-state/lane-states.ts';
import type { FindingTally } from '../ledger/ledger.ts';
import type { Rule } from '../rules/rule.ts';

/** A finding as it grows: what its ledger rows add up to. Everything else about it is derived when it is written. */
export interface FindingState {
  id: string;
  rule: string;
  /** Dedupe values joined; null after a restore, until an occurrence shows them again. */
  dedupe: string | null;
  occurrences: number;
  /** Epoch milliseconds of seen_at. */
  first_seen: number;
  last_seen: number;
  last_received_at: number;
  /** Whether it waits to be handed out and written. */
  changed: boolean;
}

/**
 * Attaches an event to its finding, which comes into being with the first occurrence.
 * @param dedupe values besides rule and lane that tell one finding from another
 */
export function attachOccurrence(lane: LaneState, rule: Rule, dedupe: readonly string[], row: LedgerRow): FindingState {
  const key = dedupe.length === 0 ? '' : dedupe.join('\n');
  let state: FindingState | undefined;
  for (const finding of lane.findings) if (finding.rule === rule.id && finding.dedupe === key) state = finding;
  if (state === undefined) {
    const id = findingIdOf(rule.id, lane.lane, dedupe);
    state = lane.findings.find((finding) => finding.id === id);
    if (state === undefined) {
      state = newState(id, rule.id);
      lane.findings.push(state);
    }
    state.dedupe = key;
  }
  state.occurrences++;
  if (row.seen_at < state.first_seen) state.first_seen = row.seen_at;
  if (row.seen_at > state.last_seen) state.last_seen = row.seen_at;
  if (row.received_at > state.last_received_at) state.last_received_at = row.received_at;
  return state;
}

/** Puts a finding back as its ledger rows tell it. The caller decides whether it must be written again. */
export function restoreFinding(lane: LaneState, tally: FindingTally): FindingState {
  const state = newState(tally.id, ruleOf(tally.id));
  state.occurrences = tally.occurrences;
  state.first_seen = tally.first_seen;
  state.last_seen = tally.last_seen;
  state.last_received_at = tally.last_received_at;
  lane.findings.push(state);
  return state;
}

/** The finding as it is stored and published: its tally, and what the rule says of the lane as it is now. */
export function toFinding(state: FindingState, lane: LaneState, rule: Rule): Finding {
  const { severity, facts, ledgerFilter } = rule.describe(lane, state);
  return {
    id: state.id,
    rule: state.rule,
    lane: lane.lane,
    fingerprint: lane.fingerprint,
    hint: lane.hint,
    org: lane.org,
    credential_id: lane.credential_id,
    severity,
    risk: RISK_OF[severity],
    first_seen: new Date(state.first_seen).toISOString(),
    last_seen: new Date(state.last_seen).toISOString(),
    last_received_at: new Date(state.last_received_at).toISOString(),
    occurrences: state.occurrences,
    facts,
    parameters: rule.parameters,
    ledger_filter: ledgerFilter,
  };
}

/** The rule a finding id names: `R01-…`. */
function ruleOf(findingId: string): string {
  return findingId.slice(0, findingId.indexOf('-'));
}

function newState(id: string, rule: string): FindingState {
  return {
    id,
    rule,
    dedupe: null,
    occurrences: 0,
    first_seen: Infinity,
    last_seen: -Infinity,
    last_received_at: -Infinity,
    changed: false,
  };
}
