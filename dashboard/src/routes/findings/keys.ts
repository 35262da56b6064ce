import type { KeyedAct } from '#lib/keys.ts';

/** What keys do in the queue, as its help lists it. */
export const QUEUE_ACTS = {
  next: 'next finding',
  previous: 'previous finding',
  open: 'open it',
  choose: 'mark it for an act on several',
  acknowledge: 'acknowledge: you work on it',
  fixed: 'done: resolve as fixed',
  false_positive: 'resolve as a false positive',
  accepted_risk: 'tolerate: resolve as an accepted risk',
  reopen: 're-open',
  snooze: 'snooze …',
  assign: 'assign …',
  comment: 'comment …',
  undo: 'undo the last act',
  choose_nothing: 'choose nothing',
  help: 'this help',
} as const satisfies Partial<Record<KeyedAct, string>>;

/** Enter is left to the link that has the focus. */
export type QueueAct = Exclude<keyof typeof QUEUE_ACTS, 'open'>;
