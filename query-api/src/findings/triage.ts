import { laneOf } from '@lanewatch/ingest/contract';
import { SEVERITIES } from '../../contract/index.ts';
import type { FindingItem, FindingStatus } from '../../contract/index.ts';
import type { RegistryDatabase } from '../registry/database.ts';
import type { FindingTriageTable } from '../registry/schema.ts';

/**
 * An occurrence received this soon after a registration does not re-open a finding: the record needs a moment to reach the
 * detector, and an event decided in that moment is no regression.
 */
const REOPEN_SETTLE_MS = 5_000;

/** A decision of the registry about all findings of a rule on a lane up to `at`. */
export interface TriageDecision {
  atMs: number;
  by: string;
  reason: string;
  /** It resolves nothing: the finding counts as medium at most. */
  isLowering: boolean;
  /** It is the registration of a key by its hint and org alone, which makes lanes of fingerprints seen with both known as well. */
  isOfHint: boolean;
}

/** What was decided about findings, and the instant as of which that is judged. */
export interface Triage {
  /** By `rule/lane`. */
  decisions: ReadonlyMap<string, TriageDecision>;
  /** What people did, by finding. */
  acts: ReadonlyMap<string, FindingTriageTable>;
  nowMs: number;
}
const triageKey = (rule: string, lane: string): string => `${rule}/${lane}`;

/** How a finding names its key. */
interface Named {
  lane: string;
  fingerprint: string;
  hint: string;
  org: string;
}

/** What a finding is judged by. */
export interface Judged extends Named {
  id: string;
  rule: string;
  severity: FindingItem['severity'];
  lastReceivedMs: number;
}

/** The lane of a fingerprint's hint and org; null where there is none, and for that lane itself. */
function hintLaneOf({ fingerprint, hint, org }: Named): string | null {
  return fingerprint !== '' && hint !== '' && org !== '' ? laneOf('', hint, org) : null;
}

/** Everything that was decided, or what concerns some findings. */
export async function readTriage(
  db: RegistryDatabase,
  nowMs: number,
  findings?: readonly (Named & { id: string })[],
): Promise<Triage> {
  if (findings?.length === 0) return { decisions: new Map(), acts: new Map(), nowMs };
  let ofLanes = db
    .selectFrom('triage')
    .leftJoin('credentials', 'credentials.id', 'triage.credential_id')
    .selectAll('triage')
    .select('credentials.fingerprint');
  let ofFindings = db.selectFrom('finding_triage').selectAll();
  if (findings !== undefined) {
    const lanes = new Set(findings.flatMap((finding) => [finding.lane, hintLaneOf(finding) ?? finding.lane]));
    ofLanes = ofLanes.where('triage.lane', 'in', [...lanes]);
    ofFindings = ofFindings.where(
      'finding_id',
      'in',
      findings.map(({ id }) => id),
    );
  }
  const [decisions, acts] = await Promise.all([ofLanes.execute(), ofFindings.execute()]);
  return {
    decisions: new Map(
      decisions.map(({ rule, lane, status, at, by, reason, fingerprint }) => [
        triageKey(rule, lane),
        { atMs: at.getTime(), by, reason, isLowering: status === 'lowered', isOfHint: fingerprint === '' },
      ]),
    ),
    acts: new Map(acts.map((act) => [act.finding_id, act])),
    nowMs,
  };
}

/** Where a finding stands, and which decision made it so: of the registry, of a person, or none. */
interface Standing {
  status: FindingStatus;
  decision: TriageDecision | null;
  act: FindingTriageTable | null;
}

/**
 * Where a finding stands: what was decided last about it, by the registry or by a person, unless it occurred again after it was resolved. Lanes
 * of fingerprints are answered by the decision on their hint's lane too: which they are is in the ledger, and that may be away when the key
 * is registered. Pure.
 */
export function findingStatus(finding: Judged, triage: Triage): Standing {
  const held = decisionOn(finding, triage);
  const decision = held === null || held.isLowering ? null : held;
  const act = triage.acts.get(finding.id);
  const actAtMs = act?.state_at?.getTime() ?? null;
  if (decision !== null && (actAtMs === null || decision.atMs > actAtMs)) {
    const isAgain = finding.lastReceivedMs > decision.atMs + REOPEN_SETTLE_MS;
    return isAgain ? standing('reopened') : { ...standing('resolved'), decision };
  }
  if (act === undefined || actAtMs === null) return standing('open');
  switch (act.state) {
    case 'open':
      return standing('open');
    case 'acknowledged':
      return { ...standing('acknowledged'), act };
    case 'snoozed':
      return act.until !== null && act.until.getTime() > triage.nowMs
        ? { ...standing('snoozed'), act }
        : standing('open');
    case 'resolved':
      return isRegression(finding, act, actAtMs) ? standing('reopened') : { ...standing('resolved'), act };
  }
}

const standing = (status: FindingStatus): Standing => ({ status, decision: null, act: null });

/**
 * What was fixed must not occur again. What was judged to be no matter, or one to live with, goes on occurring: it is another one only
 * when it becomes more severe than what was judged.
 */
function isRegression(finding: Judged, act: FindingTriageTable, actAtMs: number): boolean {
  if (finding.lastReceivedMs <= actAtMs) return false;
  if (act.resolution === 'fixed') return true;
  return SEVERITIES.indexOf(finding.severity) > SEVERITIES.indexOf(act.severity as FindingItem['severity']);
}

/** When the resolution was that a re-opened finding did not keep to, epoch milliseconds. */
export function resolvedAtMs(finding: Judged, triage: Triage): number {
  const decision = decisionOn(finding, triage);
  const decidedMs = decision === null || decision.isLowering ? 0 : decision.atMs;
  return Math.max(decidedMs, triage.acts.get(finding.id)?.state_at?.getTime() ?? 0);
}

/** Whether it still wants a decision: neither done nor put off. */
export function isUnresolved(finding: Judged, triage: Triage): boolean {
  const { status } = findingStatus(finding, triage);
  return status !== 'resolved' && status !== 'snoozed';
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

/** The last decision of the registry about a finding. */
function decisionOn(finding: Named & { rule: string }, { decisions }: Triage): TriageDecision | null {
  if (decisions.size === 0) return null;
  const own = decisions.get(triageKey(finding.rule, finding.lane)) ?? null;
  const hintLane = hintLaneOf(finding);
  const ofHint = hintLane === null ? undefined : decisions.get(triageKey(finding.rule, hintLane));
  if (ofHint?.isOfHint !== true) return own;
  return own === null || ofHint.atMs > own.atMs ? ofHint : own;
}
