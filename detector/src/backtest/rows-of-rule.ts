import type { CredentialRecord } from '@lanewatch/ingest/contract';
import { quoted } from '../ledger/migrate/template.ts';
import type { RuleId } from '../../contract/index.ts';

/** What of the stored rows a rule has to be shown to decide as it does live, where every event goes by. */
export interface RowsOfRule {
  /** Lane by lane; or all lanes together by time, for rules that look across lanes or at what other rules found. */
  order: 'lane' | 'time';
  /** Whether it goes by what is remembered of a lane. Else lanes learn nothing, and only rows count on which it could hold. */
  isByLaneState: boolean;
  /** SQL of the rows that it could hold on, or that it learns from. */
  where: string;
  /** Of rules that hold keys to something their record says: whether it says anything. */
  concerns?(record: CredentialRecord): boolean;
}

/** So many keys are named in a query; of more all are read. */
const KEYS_NAMED_MAX = 1_000;

const WHOLE_LANE: RowsOfRule = { order: 'lane', isByLaneState: true, where: '1' };
const event = (where: string, concerns?: RowsOfRule['concerns']): RowsOfRule => ({
  ...{ order: 'lane', isByLaneState: false, where },
  ...(concerns !== undefined && { concerns }),
});

/**
 * By rule, where that is less than all rows of a lane. What is left out must be such that the rule answers null and learns nothing from it,
 * whatever its parameters: a test holds every rule against both.
 */
const NARROWER: Partial<Record<RuleId, RowsOfRule>> = {
  R01: event("standing = 'unknown' AND outcome != 'denied'"),
  R02: event("match = 'ambiguous'"),
  R03: event("standing IN ('revoked', 'expired') AND credential_id != ''"),
  R04: event("standing = 'known' AND outcome != 'denied'", ({ grace_ends_at }) => grace_ends_at !== null),
  R08: event("ip != ''", ({ allowed_cidrs }) => allowed_cidrs.length > 0),
  R09: event("environment != '' AND outcome != 'denied'", ({ environment }) => environment !== ''),
  R12: { order: 'time', isByLaneState: false, where: "user != '' AND repo != '' AND outcome = 'success'" },
  R14: event("agent != '' AND outcome != 'denied'", ({ expected_agents }) => expected_agents.length > 0),
  // Refusals are remembered by themselves.
  R16: { order: 'lane', isByLaneState: true, where: "outcome = 'denied'" },
  R24: event("user != '' AND outcome != 'denied'", ({ owner }) => owner !== ''),
  R25: { order: 'time', isByLaneState: false, where: "ip != '' AND host = ''" },
  R29: { order: 'time', isByLaneState: true, where: '1' },
};

/** @param records the registry as it is now */
export function rowsOfRule(rule: RuleId, records: readonly CredentialRecord[]): RowsOfRule {
  const rows = NARROWER[rule] ?? WHOLE_LANE;
  if (rows.concerns === undefined) return rows;
  const ids = [...new Set(records.filter(rows.concerns).map(({ id }) => id))];
  const ofThem =
    ids.length > KEYS_NAMED_MAX
      ? "credential_id != ''"
      : ids.length === 0
        ? '0'
        : `credential_id IN (${ids.map(quoted).join(', ')})`;
  return { ...rows, where: `${rows.where} AND ${ofThem}` };
}
