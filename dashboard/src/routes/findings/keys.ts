/** Keys of the queue with what they do, as the help lists them. */
export const KEYS = [
  ['j', 'next finding'],
  ['k', 'previous finding'],
  ['Enter', 'open it'],
  ['x', 'choose it for an act on several'],
  ['a', 'acknowledge: you work on it'],
  ['e', 'resolve as fixed'],
  ['f', 'resolve as a false positive'],
  ['r', 'resolve as an accepted risk'],
  ['o', 're-open'],
  ['s', 'snooze …'],
  ['i', 'assign …'],
  ['c', 'comment …'],
  ['z', 'undo the last act'],
  ['Esc', 'choose nothing'],
  ['?', 'this help'],
] as const;
export type QueueKey = Exclude<(typeof KEYS)[number][0], 'Esc' | 'Enter'> | 'Escape';

/** The key that was pressed for the queue; null where it is typed into something, or belongs to the browser. */
export function queueKeyOf(event: KeyboardEvent): QueueKey | null {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return null;
  const { target } = event;
  if (
    target instanceof HTMLElement &&
    target.closest('input:not([type="checkbox"]), select, textarea, dialog, [role="dialog"]')
  )
    return null;
  const known = event.key === 'Escape' || KEYS.some(([key]) => key === event.key && key !== 'Enter');
  return known ? (event.key as QueueKey) : null;
}
