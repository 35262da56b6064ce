import type { Case } from '@lanewatch/query-api/contract';

/**
 * Lanes of the cases before and after the chosen one; '' for none. One that has left the queue, because it was decided, goes on where it was
 * told to. Pure.
 * @param after lane that came after it when it was decided; '' where nobody said
 */
export function aroundOf(
  items: readonly Case[],
  chosen: string | null,
  after: string,
): { previous: string; next: string } {
  const at = items.findIndex((one) => one.lane === chosen || (chosen !== null && one.group?.lanes.includes(chosen)));
  if (at >= 0) return { previous: items[at - 1]?.lane ?? '', next: items[at + 1]?.lane ?? '' };
  const goesOn = items.findIndex((one) => one.lane === after);
  if (goesOn < 0) return { previous: '', next: items[0]?.lane ?? '' };
  return { previous: items[goesOn - 1]?.lane ?? '', next: after };
}
