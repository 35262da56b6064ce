/** Where somebody types or chooses, keys are theirs. */
const TYPING = 'input, select, textarea, [contenteditable]';
/** What Enter presses by itself. */
const PRESSED_BY_ENTER = 'a, button, summary, [role="button"]';

/** The name that an act of the page answers to, for a key that was pressed; null for one that is none of ours. Pure. */
function actKeyOf(event: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey'>): string | null {
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  if (event.key === 'Enter') return 'enter';
  return /^[a-z?]$/i.test(event.key) ? event.key.toLowerCase() : null;
}

/**
 * Presses what `data-act` marks with the key: a link, a button, or the summary of a panel, whose first field gets the focus. Keys stay with
 * fields and dialogs while these have the focus.
 */
export function pressAct(event: KeyboardEvent): void {
  const name = actKeyOf(event);
  if (
    name === null ||
    event.defaultPrevented ||
    document.querySelector('dialog[open], [role="dialog"], [role="alertdialog"]')
  )
    return;
  const { target } = event;
  if (target instanceof Element && (target.closest(TYPING) || (name === 'enter' && target.closest(PRESSED_BY_ENTER))))
    return;
  const act = document.querySelector<HTMLElement>(`[data-act="${name}"]`);
  if (act === null) return;
  event.preventDefault();
  act.click();
  if (act.localName !== 'summary') return;
  const panel = act.parentElement as HTMLDetailsElement;
  // A summary's click opens its panel only after this event.
  requestAnimationFrame(() =>
    (panel.open
      ? panel.querySelector<HTMLElement>('input:not([type="hidden"]), select, textarea, button')
      : act
    )?.focus(),
  );
}
