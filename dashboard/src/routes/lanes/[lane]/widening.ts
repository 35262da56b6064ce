import type { EntityKind, LaneDetail, LaneSharing } from '@lanewatch/query-api/contract';

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
 * When a lane came to be shared by more, newest first: every person, endpoint, agent, repository and model that was not seen on it before, but
 * for the very first of a kind. Where a kind has more values than are listed, the oldest of them are left out and counted. Pure.
 * @param before what the lane was seen with before the window; null where nobody knows: then all that came first in the window counts as new
 */
export function wideningOf(lane: LaneDetail, before: LaneSharing['seen_before']): Widening[] {
  const nodes = { ...lane.observed_with, ...lane.usage_context };
  return KINDS.flatMap(([kind, group]) => {
    const old = new Set(before?.[kind] ?? []);
    const fresh = nodes[group].filter(({ value }) => !old.has(value));
    const others = Math.max(0, lane[group] - nodes[group].length) + nodes[group].length - fresh.length;
    const hadNone = old.size === 0 && others === 0;
    return fresh
      .toSorted((a, b) => a.first_seen.localeCompare(b.first_seen))
      .map(({ value, first_seen: at }, index) => ({ at, kind, value, count: others + index + 1 }))
      .filter(({ count }) => count > 1 || !hadNone);
  }).sort((a, b) => b.at.localeCompare(a.at));
}
