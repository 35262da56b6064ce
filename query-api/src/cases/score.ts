import type { Case } from '../../contract/index.ts';

/** What a case is scored by. */
export interface Scored {
  severity: Case['severity'];
  standing: Case['standing'];
  live: boolean;
  /** Spent in the window, US dollars: scoring alone may round. */
  spentUsd: number;
  people: number;
  endpoints: number;
  repos: number;
}

const SEVERITY_POINTS: Record<Case['severity'], number> = { low: 8, medium: 20, high: 32, critical: 42 };
/** A key that was given up and is used all the same weighs what an unknown one does. */
const STANDING_POINTS: Record<Case['standing'], number> = {
  unknown: 14,
  revoked: 14,
  expired: 10,
  ambiguous: 8,
  known: 2,
  unattributed: 0,
};
const LIVE_POINTS = 12;
const SPEND_POINTS_BELOW = 16;
const REACH_POINTS_BELOW = 16;

/** From 0 on ever nearer to 1, by orders of magnitude: half at 9, two thirds at 99, three quarters at 999. */
function growing(amount: number): number {
  const magnitude = Math.log10(1 + Math.max(0, amount));
  return magnitude / (1 + magnitude);
}

/**
 * How urgent a case is, in points: severity of its gravest finding (up to 42), standing of its key (up to 14), 12 while a session is live,
 * spend in the window and reach (people, endpoints and repositories), each below 16 and never at its end. So the sum stays below 100, and
 * of two cases that differ in one thing alone the worse one always has more: nothing saturates. Pure.
 */
export function scoreOf({ severity, standing, live, spentUsd, people, endpoints, repos }: Scored): {
  score: number;
  parts: Case['score_parts'];
} {
  const parts = {
    severity: SEVERITY_POINTS[severity],
    standing: STANDING_POINTS[standing],
    live: live ? LIVE_POINTS : 0,
    spend: SPEND_POINTS_BELOW * growing(spentUsd),
    reach: REACH_POINTS_BELOW * growing(people + endpoints + repos),
  };
  return { score: parts.severity + parts.standing + parts.live + parts.spend + parts.reach, parts };
}
