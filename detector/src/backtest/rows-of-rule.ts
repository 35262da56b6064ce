import type { RuleId } from '../../contract/index.ts';

/** What of the stored rows a rule has to be shown to decide as it does live, where every event goes by. */
export interface RowsOfRule {
  /** Lane by lane; or all lanes together by time, for rules that look across lanes or at what other rules found. */
  order: 'lane' | 'time';
  /** Whether it goes by what is remembered of a lane. Else lanes learn nothing, and only rows count on which it could hold. */
  isByLaneState: boolean;
  /** SQL of the rows that it could hold on, or that it learns from. */
  where: string;
}

const WHOLE_LANE: RowsOfRule = { order: 'lane', isByLaneState: true, where: '1' };
const event = (where: string): RowsOfRule => ({ order: 'lane', isByLaneState: false, where });

/**
 * By rule, where that is less than all rows of a lane. What is left out must be such that the rule answers null and learns nothing from it,
 * whatever its parameters: a test holds every rule against both.
 */
const NARROWER: Partial<Record<RuleId, RowsOfRule>> = {
  R01: event("standing = 'unknown' AND outcome != 'denied'"),
  R02: event("match = 'ambiguous'"),
  R03: event("standing IN ('revoked', 'expired') AND credential_id != ''"),
  R04: event("standing = 'known' AND credential_id != '' AND outcome != 'denied'"),
  R08: event("credential_id != '' AND ip != ''"),
  R09: event("credential_id != '' AND environment != '' AND outcome != 'denied'"),
  R12: { order: 'time', isByLaneState: false, where: "user != '' AND repo != '' AND outcome = 'success'" },
  R14: event("credential_id != '' AND agent != '' AND outcome != 'denied'"),
  // Refusals are remembered by themselves.
  R16: { order: 'lane', isByLaneState: true, where: "outcome = 'denied'" },
  R24: event("credential_id != '' AND user != '' AND outcome != 'denied'"),
  R25: { order: 'time', isByLaneState: false, where: "ip != '' AND host = ''" },
  R29: { order: 'time', isByLaneState: true, where: '1' },
};

export function rowsOfRule(rule: RuleId): RowsOfRule {
  return NARROWER[rule] ?? WHOLE_LANE;
}
