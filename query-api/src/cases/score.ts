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

const SEVERITY_POINTS: Record<Case['severity'], number> = { low: 8, medium: 17, high: 24, critical: 31 };
/** A key that was given up and is used all the same weighs what an unknown one does. */
const STANDING_POINTS: Record<Case['standing'], number> = {
  unknown: 20,
  revoked: 20,
  expired: 14,
  ambiguous: 10,
  known: 2,
  unattributed: 0,
};
/** A session that runs right now is worse the less its key belongs here; on a known key it is everyday. */
const LIVE_POINTS: Record<Case['standing'], number> = {
  unknown: 24,
  revoked: 24,
  expired: 16,
  ambiguous: 12,
  known: 4,
  unattributed: 4,
};
const SPEND_POINTS_BELOW = 12;
const REACH_POINTS_BELOW = 12;

/** From 0 on ever nearer to 1, by orders of magnitude: half at 9, two thirds at 99, three quarters at 999. */
function growing(amount: number): number {
  const magnitude = Math.log10(1 + Math.max(0, amount));
  return magnitude / (1 + magnitude);
}

/**
 * How urgent a case is, in points: severity of its gravest finding (up to 31), standing of its key (up to 20), a session that is live (up to
 * 24), spend in the window and reach (people, endpoints and repositories), each below 12 and never at its end. So the sum stays below 100, of
 * two cases that differ in one thing alone the worse one always has more, and no known key, whatever it spends, comes before an unknown or
 * revoked one that is in use right now with a finding of at least medium severity: 17 + 20 + 24 against less than 31 + 2 + 4 + 12 + 12. Pure.
 */
export function scoreOf({ severity, standing, live, spentUsd, people, endpoints, repos }: Scored): {
  score: number;
  parts: Case['score_parts'];
} {
  const parts = {
    severity: SEVERITY_POINTS[severity],
    standing: STANDING_POINTS[standing],
    live: live ? LIVE_POINTS[standing] : 0,
    spend: SPEND_POINTS_BELOW * growing(spentUsd),
    reach: REACH_POINTS_BELOW * growing(people + endpoints + repos),
  };
  return { score: parts.severity + parts.standing + parts.live + parts.spend + parts.reach, parts };
}
