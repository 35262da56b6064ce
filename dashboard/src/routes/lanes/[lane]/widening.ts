import type { EntityKind, LaneDetail } from '@lanewatch/query-api/contract';

/** A value that a lane had not been seen with before in its window, and how many of its kind there were from then on. */
export interface Widening {
  at: string;
  kind: EntityKind;
  value: string;
  count: number;
}

const KINDS = [
  ['user', 'users'],
  ['endpoint', 'endpoints'],
  ['agent', 'agents'],
  ['repo', 'repos'],
  ['model', 'models'],
] as const;

/**
 * When a lane came to be shared by more, newest first: every second and further person, endpoint, agent, repository and model, by when each was
 * seen first in the window. Where a kind has more values than are listed, the oldest of them are left out and counted. Pure.
 */
export function wideningOf(lane: LaneDetail): Widening[] {
  const nodes = { ...lane.observed_with, ...lane.usage_context };
  return KINDS.flatMap(([kind, group]) => {
    const unlisted = Math.max(0, lane[group] - nodes[group].length);
    return nodes[group]
      .toSorted((a, b) => a.first_seen.localeCompare(b.first_seen))
      .map(({ value, first_seen: at }, index) => ({ at, kind, value, count: unlisted + index + 1 }))
      .filter(({ count }) => count > 1);
  }).sort((a, b) => b.at.localeCompare(a.at));
}
