import { isOfRegistry, SEVERITIES } from '../../contract/index.ts';
import type { CaseState, Lane } from '../../contract/index.ts';
import type { Candidates, FindingOfLane, LaneFigures } from './candidates.ts';
import { scoreOf } from './score.ts';

/** A lane with its findings of one state. */
export interface LaneCase {
  lane: string;
  hint: string;
  org: string;
  standing: Lane['standing'];
  /** Its gravest finding; of equals one about its use, then the one that occurred last. */
  worst: FindingOfLane;
  rule: string;
  severity: FindingOfLane['severity'];
  findings: FindingOfLane[];
  assignee: string;
  firstMs: number;
  lastMs: number;
  /** Of the window; null where it has no event of the lane. */
  figures: LaneFigures | null;
  spent: string;
  collector: string;
  score: number;
  parts: ReturnType<typeof scoreOf>['parts'];
}

/** What was decided about a finding; null where it is done. */
export type Judge = (
  finding: FindingOfLane,
) => { state: CaseState; severity: FindingOfLane['severity']; assignee: string } | null;

const rankOf = (severity: FindingOfLane['severity']): number => SEVERITIES.indexOf(severity);

/**
 * The lanes of each state, highest score first. A lane is where its most pressing finding is: one that wants a decision puts it there
 * although others on it are put off. Pure.
 */
export function laneCases({ findings, figures }: Candidates, judge: Judge): Record<CaseState, LaneCase[]> {
  const cases: Record<CaseState, LaneCase[]> = { open: [], acknowledged: [], snoozed: [] };
  const judged = findings.flatMap((finding) => {
    const found = judge(finding);
    return found === null ? [] : [{ ...finding, ...found }];
  });
  for (const [lane, all] of Map.groupBy(judged, (finding) => finding.lane)) {
    const state = (['open', 'acknowledged', 'snoozed'] as const).find((one) =>
      all.some((finding) => finding.state === one),
    )!;
    const own = all.filter((finding) => finding.state === state);
    cases[state].push(caseOf(lane, own, figures.get(lane) ?? null));
  }
  for (const list of Object.values(cases)) list.sort(byScore);
  return cases;
}

function caseOf(lane: string, own: (FindingOfLane & { assignee: string })[], figures: LaneFigures | null): LaneCase {
  const worst = own.reduce((gravest, finding) => {
    const more =
      rankOf(finding.severity) - rankOf(gravest.severity) ||
      Number(isOfRegistry(gravest.rule)) - Number(isOfRegistry(finding.rule)) ||
      Number(finding.last_ms) - Number(gravest.last_ms);
    return more > 0 ? finding : gravest;
  });
  const standing = figures?.standing ?? worst.standing;
  const { score, parts } = scoreOf({
    severity: worst.severity,
    standing,
    live: figures?.live ?? false,
    spentUsd: Number(figures?.spent ?? 0),
    people: figures?.people ?? 0,
    endpoints: figures?.endpoints ?? 0,
    repos: figures?.repos ?? 0,
  });
  return {
    ...{ lane, standing, worst, figures, score, parts },
    hint: figures?.hint || worst.hint,
    org: figures?.org || worst.org,
    rule: worst.rule,
    severity: worst.severity,
    findings: own,
    assignee: own.find(({ assignee }) => assignee !== '')?.assignee ?? '',
    firstMs: Math.min(...own.map(({ first_ms: ms }) => Number(ms))),
    lastMs: Math.max(...own.map(({ last_ms: ms }) => Number(ms))),
    spent: figures?.spent ?? '0',
    collector: figures?.collector ?? '',
  };
}

/** Highest score first, then the one that occurred last, then the lane's name: no two are equal. */
function byScore(one: LaneCase, other: LaneCase): number {
  return other.score - one.score || other.lastMs - one.lastMs || (one.lane < other.lane ? -1 : 1);
}
