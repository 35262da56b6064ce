/** The key of each act that pages take keys for: one key does one thing, wherever it is pressed. */
export const KEYS = {
  ...{ next: 'j', previous: 'k', open: 'enter' },
  ...{ register: 'r', assign: 'a', acknowledge: 'e', snooze: 's', revoke: 'x', undo: 'z' },
  ...{ fixed: 'd', false_positive: 'f', accepted_risk: 't', reopen: 'o', comment: 'c' },
  ...{ choose: 'm', choose_nothing: 'escape', help: '?' },
} as const;
export type KeyedAct = keyof typeof KEYS;

const TYPING = 'input:not([type="checkbox"]), select, textarea, [contenteditable]';
const DIALOG = 'dialog[open], [role="dialog"], [role="alertdialog"]';

/** Whether a pressed key is none of the page's: it is typed into a field, or belongs to the browser. */
export function isTaken(event: KeyboardEvent): boolean {
  const { target, ctrlKey, metaKey, altKey, defaultPrevented } = event;
  const isTyped = target instanceof Element && target.closest(TYPING) !== null;
  return defaultPrevented || ctrlKey || metaKey || altKey || isTyped;
}

/** The act that a pressed key stands for; null for any other key, one that is held, and while a dialog is open. */
export function actOf(event: KeyboardEvent): KeyedAct | null {
  if (isTaken(event) || event.repeat || document.querySelector(DIALOG)) return null;
  const pressed = event.key.toLowerCase();
  return (Object.keys(KEYS) as KeyedAct[]).find((act) => KEYS[act] === pressed) ?? null;
}
