import { findingIdOf, RISK_OF, type Finding } from '../../contract/index.ts';
import type { LedgerRow } from '../../contract/index.ts';
import type { LaneSights } from '../lane-state/lane-sights.ts';
import { isResolvedUser } from '../lane-state/people.ts';
import { FINDING_LABELS, type FindingTally } from '../ledger/ledger.ts';
import type { RaisedFinding, Rule, RuleContext } from '../rules/rule.ts';
import { evidenceText, tellsMore } from './evidence.ts';

/**
 * A finding as it grows: what its ledger rows add up to. How it reads follows from that and from what its lane was seen with, so
 * that it reads the same whichever way batches were cut, and after a restart.
 */
export interface FindingState extends RaisedFinding {
  /** Dedupe values joined; null after a restore, until an occurrence shows them again. */
  dedupe: string | null;
  /** What the rows say that were stored before this state came into being. Shared with snapshots, so that they learn of it too. */
  earlier: EarlierRows;
  /** Whether it waits to be handed out and written. */
  changed: boolean;
  /** As it was handed out last, where only a difference is worth a write: {@link Rule.dependsOn} lane. */
  written: string;
}

/** Filled when a finding that seemed new turns out to be an old one of a lane that was not held. */
export interface EarlierRows {
  tally: FindingTally | null;
}

/** A lane and the findings it raised. */
export interface LaneWithFindings extends LaneSights {
  findings: FindingState[];
}

/** The state of a finding on this lane, if it is among those held. */
export function findHeld(
  { lane, findings }: Pick<LaneWithFindings, 'lane' | 'findings'>,
  rule: Rule,
  dedupe: readonly string[],
): FindingState | undefined {
  const key = dedupe.length === 0 ? '' : dedupe.join('\n');
  for (const finding of findings) if (finding.rule === rule && finding.dedupe === key) return finding;
  if (findings.length === 0) return undefined;
  const id = findingIdOf(rule.id, lane, dedupe);
  const state = findings.find((finding) => finding.id === id);
  if (state !== undefined) state.dedupe = key;
  return state;
}

/** A finding without occurrences yet. */
export function newFinding(lane: LaneSights, rule: Rule, dedupe: readonly string[]): FindingState {
  return {
    id: findingIdOf(rule.id, lane.lane, dedupe),
    lane: lane.lane,
    occurrences: 0,
    cost_nano_usd: 0,
    first_seen: Infinity,
    last_seen: -Infinity,
    last_received_at: -Infinity,
    delay_ms_min: Infinity,
    endpoint_unresolved: false,
    standing: '',
    credential_id: '',
    hint: '',
    org: '',
    user: '',
    endpoint: '',
    agent: '',
    session: '',
    model: '',
    evidence: '',
    rule,
    dedupe: dedupe.length === 0 ? '' : dedupe.join('\n'),
    earlier: { tally: null },
    changed: false,
    written: '',
  };
}

/** Adds an event to the finding it is an occurrence of. */
export function addOccurrence(state: FindingState, row: LedgerRow): void {
  state.occurrences++;
  state.cost_nano_usd += row.cost_nano_usd;
  if (row.seen_at < state.first_seen) state.first_seen = row.seen_at;
  if (row.seen_at > state.last_seen) state.last_seen = row.seen_at;
  if (row.received_at > state.last_received_at) state.last_received_at = row.received_at;
  const delayMs = row.received_at - row.seen_at;
  if (delayMs < state.delay_ms_min) state.delay_ms_min = delayMs;
  if (!state.endpoint_unresolved && row.ip !== '' && row.host === '')
    state.endpoint_unresolved = !isResolvedUser(row.user);
  state.standing = row.standing;
  if (row.credential_id !== '') state.credential_id = row.credential_id;
  if (row.hint !== '') state.hint = row.hint;
  if (row.org !== '') state.org = row.org;
  if (row.user !== '') state.user = row.user;
  if (row.ip !== '') state.endpoint = row.ip;
  else if (row.host !== '') state.endpoint = row.host;
  if (row.agent !== '') state.agent = row.agent;
  if (row.session !== '') state.session = row.session;
  if (row.model !== '') state.model = row.model;
}

/**
 * Adds the observed event to the finding it is an occurrence of, with what it proves.
 * @returns whether that tells more than what was known, and so must be kept with its row
 */
export function occur(state: FindingState, context: RuleContext): boolean {
  const { row, severity } = context;
  addOccurrence(state, row);
  if (state.rule.testify === undefined || !tellsMore(state.evidence, severity, row.seen_at)) return false;
  state.evidence = evidenceText({ severity, atMs: row.seen_at, facts: state.rule.testify(context) });
  return true;
}

/** Puts a finding back as its ledger rows tell it. The caller decides whether it must be written again. */
export function restoredFinding(tally: FindingTally, rule: Rule): FindingState {
  return { ...tally, rule, dedupe: null, earlier: { tally: null }, changed: false, written: '' };
}

/**
 * Notes what all rows say of a finding that came into being here and was known before.
 * @param counted the finding as it stood when the last of those rows was sealed
 */
export function noteEarlier(counted: FindingState, all: FindingTally): void {
  counted.earlier.tally = {
    ...all,
    occurrences: all.occurrences - counted.occurrences,
    cost_nano_usd: all.cost_nano_usd - counted.cost_nano_usd,
  };
}

/** The finding as it is stored and published: its tally, and what the rule says of it. */
export function toFinding(state: FindingState, lane: LaneSights): Finding {
  const whole = state.earlier.tally === null ? state : withEarlier(state, state.earlier.tally);
  const { severity, facts } = whole.rule.describe(lane, whole);
  return {
    id: whole.id,
    rule: whole.rule.id,
    lane: lane.lane,
    fingerprint: lane.fingerprint,
    hint: whole.hint,
    org: whole.org,
    credential_id: whole.credential_id,
    severity,
    risk: RISK_OF[severity],
    first_seen: new Date(whole.first_seen).toISOString(),
    last_seen: new Date(whole.last_seen).toISOString(),
    last_received_at: new Date(whole.last_received_at).toISOString(),
    occurrences: whole.occurrences,
    facts,
    parameters: whole.rule.parameters,
    // The rows that carry it: as many as it has occurrences.
    ledger_filter: { lane: lane.lane, finding: whole.id },
  };
}

function withEarlier(state: FindingState, earlier: FindingTally): FindingState {
  const whole = {
    ...state,
    occurrences: state.occurrences + earlier.occurrences,
    cost_nano_usd: state.cost_nano_usd + earlier.cost_nano_usd,
    first_seen: Math.min(state.first_seen, earlier.first_seen),
    last_seen: Math.max(state.last_seen, earlier.last_seen),
    last_received_at: Math.max(state.last_received_at, earlier.last_received_at),
    delay_ms_min: Math.min(state.delay_ms_min, earlier.delay_ms_min),
    endpoint_unresolved: state.endpoint_unresolved || earlier.endpoint_unresolved,
  };
  for (const label of FINDING_LABELS) if (whole[label] === '') whole[label] = earlier[label];
  return whole;
}
