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
