import { RULE_CATALOGUE } from '@lanewatch/detector/contract';
import type { RuleDescription } from '@lanewatch/detector/contract';
import { laneOf } from '@lanewatch/ingest/contract';
import { BRIEFLY } from '../clickhouse.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { ANSWERED_BY_REGISTERING, JUDGED_SQL, judgedOf } from '../findings/rows.ts';
import type { JudgedRow } from '../findings/rows.ts';
import { findingStatus, readTriage } from '../findings/triage.ts';
import { standingNow } from './standing-now.ts';
import type { LaneAnswer } from './add.ts';
import type { RegistryDatabase } from './database.ts';
import { isWeaklyGoverned } from './record.ts';
import type { CredentialRow } from './record.ts';
import type { LaneDecision } from './registry.ts';
import type { RegistrySnapshot } from './view.ts';

const ANSWERED_RULES = Object.keys(ANSWERED_BY_REGISTERING);
/** What a revocation answers. */
export const ANSWERED_BY_REVOKING = RULE_CATALOGUE.filter(
  (rule: RuleDescription) => rule.answeredByRevoking === true,
).map(({ id }) => id);

export interface OpenFinding {
  rule: string;
  lane: string;
  fingerprint: string;
  hint: string;
  org: string;
}

/**
 * The lanes that a credential makes known: its fingerprint's; the lane of its hint and org; and, when it has no
 * fingerprint, lanes of fingerprints seen with that hint and org. A hint that stays ambiguous resolves nothing, and one that
 * the credential makes ambiguous loses what an earlier registration resolved on it. Findings of a key for which nobody, or no
 * organisation, answers are lowered instead. Pure.
 */
export function answerOf(
  row: CredentialRow,
  registry: RegistrySnapshot,
  open: readonly OpenFinding[],
  nowMs: number,
): LaneAnswer {
  const lanes = new Map<string, { fingerprint: string; hint: string; org: string }>();
  const { fingerprint, hint, org } = row;
  if (fingerprint !== '') lanes.set(fingerprint, { fingerprint, hint, org });
  if (hint !== '' && org !== '') lanes.set(laneOf('', hint, org), { fingerprint: '', hint, org });
  for (const finding of open) if (!lanes.has(finding.lane)) lanes.set(finding.lane, finding);
  const answer: LaneAnswer = { decided: [], unsettled: [] };
  for (const [lane, named] of lanes) {
    const now = standingNow(named, registry, nowMs);
    if (now.standing === 'known' && now.credential?.id === row.id) answer.decided.push(decisionOn(lane, row));
    else if (now.standing === 'ambiguous') answer.unsettled.push(lane);
  }
  return answer;
}

function decisionOn(lane: string, row: CredentialRow): LaneDecision {
  if (!isWeaklyGoverned(row)) {
    return { lane, rules: ANSWERED_RULES, status: 'resolved', reason: `registered as ${row.name}` };
  }
  const missing =
    row.owner === ''
      ? row.kind === 'registered' && row.org === ''
        ? 'owner and organisation'
        : 'owner'
      : 'organisation';
  const reason = `registered as ${row.name} without ${missing}`;
  return { lane, rules: ANSWERED_RULES, status: 'lowered', reason };
}

/** How many of some open findings a decision touches. */
export function countDecided(
  open: readonly OpenFinding[],
  { decided }: LaneAnswer,
  status: LaneDecision['status'],
): number {
  const lanes = new Set(decided.filter((decision) => decision.status === status).map(({ lane }) => lane));
  return open.filter(({ lane }) => lanes.has(lane)).length;
}

/** Unresolved findings of some rules on a credential's lanes, and on those that name it by hint and org. */
export async function readOpenOn(
  store: ClickHouse,
  db: RegistryDatabase,
  key: { fingerprints: readonly string[]; hint: string; org: string },
  rules: readonly string[] = ANSWERED_RULES,
): Promise<OpenFinding[]> {
  const rows = await store.rows<JudgedRow>(
    `SELECT ${JUDGED_SQL} FROM ${store.database}.findings AS findings FINAL
     WHERE rule IN {rules:Array(String)}
       AND (lane IN {lanes:Array(String)} OR ({hint:String} != '' AND hint = {hint:String} AND org = {org:String}))`,
    { rules, lanes: key.fingerprints.filter((fingerprint) => fingerprint !== ''), hint: key.hint, org: key.org },
    BRIEFLY,
  );
  // What is put off is answered as well, so that the end of it does not matter.
  const triage = await readTriage(db, 0, rows);
  return rows.filter((row) => findingStatus(judgedOf(row), triage).status !== 'resolved');
}
