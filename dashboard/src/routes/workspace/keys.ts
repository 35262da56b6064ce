import { actOf } from '#lib/keys.ts';

/** What Enter presses by itself. */
const PRESSED_BY_ENTER = 'a, button, summary, [role="button"]';

/** Presses what `data-act` marks with the key's act: a link, a button, or the summary of a panel, whose first field gets the focus. */
export function pressAct(event: KeyboardEvent): void {
  const name = actOf(event);
  const { target } = event;
  if (name === null || (name === 'open' && target instanceof Element && target.closest(PRESSED_BY_ENTER))) return;
  const act = document.querySelector<HTMLElement>(`[data-act="${name}"]`);
  if (act === null) return;
  event.preventDefault();
  if (act.localName !== 'summary') {
    act.click();
    return;
  }
  const panel = act.parentElement as HTMLDetailsElement;
  // Other panels close by a press elsewhere.
  panel.dispatchEvent(new MouseEvent('click', { bubbles: true }));
  panel.open = !panel.open;
  // At once: what is typed next belongs into the field, and its letters are keys of other acts.
  const field = panel.querySelector<HTMLElement>('input:not([type="hidden"]), select, textarea, button');
  (panel.open ? field : act)?.focus();
}
