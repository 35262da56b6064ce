import { laneOf } from '@lanewatch/ingest/contract';
import type { FindingItem } from '../../contract/index.ts';
import type { RegistryDatabase } from '../registry/database.ts';

/**
 * An occurrence received this soon after a registration does not re-open a finding: the record needs a moment to reach the
 * detector, and an event decided in that moment is no regression.
 */
const REOPEN_SETTLE_MS = 5_000;

/** A decision about all findings of a rule on a lane up to `at`. */
export interface TriageDecision {
  atMs: number;
  by: string;
  reason: string;
  /** It resolves nothing: the finding counts as medium at most. */
  isLowering: boolean;
  /** It is the registration of a key by its hint and org alone, which makes lanes of fingerprints seen with both known as well. */
  isOfHint: boolean;
}
/** Decisions by `rule/lane`. */
export type Triage = ReadonlyMap<string, TriageDecision>;
const triageKey = (rule: string, lane: string): string => `${rule}/${lane}`;

/** How a finding names its key. */
interface Named {
  lane: string;
  fingerprint: string;
  hint: string;
  org: string;
}

/** The lane of a fingerprint's hint and org; null where there is none, and for that lane itself. */
function hintLaneOf({ fingerprint, hint, org }: Named): string | null {
  return fingerprint !== '' && hint !== '' && org !== '' ? laneOf('', hint, org) : null;
}

/** All decisions, or those about some findings. */
export async function readTriage(db: RegistryDatabase, findings?: readonly Named[]): Promise<Triage> {
  if (findings?.length === 0) return new Map();
  let query = db
    .selectFrom('triage')
    .leftJoin('credentials', 'credentials.id', 'triage.credential_id')
    .selectAll('triage')
    .select('credentials.fingerprint');
  if (findings !== undefined) {
    const lanes = new Set(findings.flatMap((finding) => [finding.lane, hintLaneOf(finding) ?? finding.lane]));
    query = query.where('triage.lane', 'in', [...lanes]);
  }
  return new Map(
    (await query.execute()).map(({ rule, lane, status, at, by, reason, fingerprint }) => [
      triageKey(rule, lane),
      { atMs: at.getTime(), by, reason, isLowering: status === 'lowered', isOfHint: fingerprint === '' },
    ]),
  );
}

/**
 * Open until somebody decided; re-opened when it occurred again after that. Lanes of fingerprints are answered by the decision on their
 * hint's lane too: which they are is in the ledger, and that may be away when the key is registered. Pure.
 */
export function findingStatus(
  finding: Named & { rule: string; lastReceivedMs: number },
  triage: Triage,
): { status: FindingItem['status']; decision: TriageDecision | null } {
  const decision = decisionOn(finding, triage);
  if (decision === null || decision.isLowering) return { status: 'open', decision: null };
  const reopened = finding.lastReceivedMs > decision.atMs + REOPEN_SETTLE_MS;
  return reopened ? { status: 'reopened', decision: null } : { status: 'resolved', decision };
}

/**
 * How severe a finding is now: medium at most once its key was registered, even though nobody, or no organisation, answers for that. Pure.
 */
export function severityNow(
  finding: Named & { rule: string; severity: FindingItem['severity'] },
  triage: Triage,
): FindingItem['severity'] {
  const isLowered = decisionOn(finding, triage)?.isLowering === true;
  return isLowered && finding.severity !== 'low' ? 'medium' : finding.severity;
}

/** The last decision about a finding. */
function decisionOn(finding: Named & { rule: string }, triage: Triage): TriageDecision | null {
  if (triage.size === 0) return null;
  const own = triage.get(triageKey(finding.rule, finding.lane)) ?? null;
  const hintLane = hintLaneOf(finding);
  const ofHint = hintLane === null ? undefined : triage.get(triageKey(finding.rule, hintLane));
  if (ofHint?.isOfHint !== true) return own;
  return own === null || ofHint.atMs > own.atMs ? ofHint : own;
}
