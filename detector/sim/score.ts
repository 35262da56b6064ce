import { RISK_OF } from '../contract/index.ts';
import type { Label } from './label.ts';
import type { Seen, Watched } from './watch.ts';

/** A finding may come so long after the last deed of its incident and still be about it. */
const AFTERMATH_MS = 3_600_000;
const COUNTED_FROM = RISK_OF.medium;

/** One incident and what was found of it. */
export interface Outcome {
  label: Label;
  /** Findings of medium severity and above on its lanes or collectors, in its time. */
  found: Seen[];
}

export interface Score {
  outcomes: Outcome[];
  /** Findings of medium severity and above that are about no incident. */
  falseFindings: Seen[];
  /** Milliseconds from receipt of the deciding event to the finding, of findings about an incident. */
  delaysMs: number[];
  laneDays: number;
  events: number;
}

/**
 * Holds findings against labels. A finding is about an incident when it was raised on one of its lanes (or collectors) between its first deed and
 * an hour after its last. What was raised before `fromMs`, while baselines are learned, counts neither way; low severity does not either.
 */
export function scoreOf(
  { findings, lanes, events }: Watched,
  labels: readonly Label[],
  fromMs: number,
  toMs: number,
): Score {
  const outcomes = labels.map((label): Outcome => ({ label, found: [] }));
  const falseFindings: Seen[] = [];
  const delaysMs: number[] = [];
  for (const seen of findings) {
    if (RISK_OF[seen.severity] < COUNTED_FROM || seen.foundMs < fromMs) continue;
    const about = outcomes.filter(({ label }) => isAbout(seen, label));
    if (about.length === 0) falseFindings.push(seen);
    else if (seen.receivedMs !== null) delaysMs.push(seen.foundMs - seen.receivedMs);
    for (const outcome of about) outcome.found.push(seen);
  }
  return { outcomes, falseFindings, delaysMs, laneDays: (lanes * (toMs - fromMs)) / 86_400_000, events };
}

function isAbout({ finding, happenedMs }: Seen, label: Label): boolean {
  if (!label.lanes.includes(finding.lane) && !label.collectors.includes(finding.credential_id)) return false;
  return happenedMs >= Date.parse(label.from) && happenedMs <= Date.parse(label.to) + AFTERMATH_MS;
}

/** Several scores as one. */
export function sumOf(scores: readonly Score[]): Score {
  return {
    outcomes: scores.flatMap(({ outcomes }) => outcomes),
    falseFindings: scores.flatMap(({ falseFindings }) => falseFindings),
    delaysMs: scores.flatMap(({ delaysMs }) => delaysMs),
    laneDays: scores.reduce((sum, { laneDays }) => sum + laneDays, 0),
    events: scores.reduce((sum, { events }) => sum + events, 0),
  };
}

/** The part of incidents that were found; NaN when there was none. */
export function recallOf({ outcomes }: Score): number {
  return outcomes.filter(({ found }) => found.length > 0).length / outcomes.length;
}

/** False findings per 1,000 lanes and day. */
export function falseRateOf({ falseFindings, laneDays }: Score): number {
  return (falseFindings.length / laneDays) * 1_000;
}

export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length === 0
    ? NaN
    : Number.isInteger(middle)
      ? (sorted[middle - 1]! + sorted[middle]!) / 2
      : sorted[Math.floor(middle)]!;
}
