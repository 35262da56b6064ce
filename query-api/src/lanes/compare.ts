import { LIKENESSES } from '../../contract/index.ts';
import type { Lane, LaneDetail, Likeness } from '../../contract/index.ts';

const COMPARABLES_MAX = 5;
/** What a likeness weighs: whom and what a key serves says more than who sells it. */
const WEIGHT: Record<Likeness['what'], number> = { user: 4, repo: 4, endpoint: 3, org: 2, agent: 1, provider: 1 };

/** A known lane that another may be held against, and what it was used with lately. */
export interface Candidate extends Pick<Lane, 'lane' | 'hint' | 'standing' | 'sessions' | 'cost_usd'> {
  name: string;
  uses: Record<Likeness['what'], readonly string[]>;
}

type Topology = Pick<LaneDetail, 'observed_with' | 'usage_context'>;

/** The candidates nearest to a lane, most alike first, each with what is the same and what differs. The lane itself is none. Pure. */
export function nearestOf(
  lane: Pick<Lane, 'lane' | 'org' | 'provider'>,
  { observed_with: { users, endpoints, agents }, usage_context: { repos } }: Topology,
  candidates: readonly Candidate[],
): LaneDetail['known_comparables'] {
  const values = (nodes: readonly { value: string }[]): string[] => nodes.map(({ value }) => value);
  const own: Candidate['uses'] = {
    user: values(users),
    repo: values(repos),
    endpoint: values(endpoints),
    agent: values(agents),
    org: lane.org === '' ? [] : [lane.org],
    provider: lane.provider === '' ? [] : [lane.provider],
  };
  return candidates
    .filter((candidate) => candidate.lane !== lane.lane)
    .map(({ uses, ...candidate }) => ({ ...candidate, ...compared(own, uses) }))
    .map((candidate) => ({ candidate, likeness: candidate.same.reduce((sum, { what }) => sum + WEIGHT[what], 0) }))
    .sort((one, other) => other.likeness - one.likeness)
    .slice(0, COMPARABLES_MAX)
    .map(({ candidate }) => candidate);
}

function compared(own: Candidate['uses'], other: Candidate['uses']): { same: Likeness[]; differs: Likeness[] } {
  const same: Likeness[] = [];
  const differs: Likeness[] = [];
  for (const what of LIKENESSES) {
    const shared = own[what].find((value) => other[what].includes(value));
    const [theirs] = other[what];
    if (shared !== undefined) same.push({ what, value: shared });
    else if (theirs !== undefined) differs.push({ what, value: theirs });
  }
  return { same, differs };
}
