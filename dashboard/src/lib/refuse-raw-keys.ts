import { holdsKnownKey, holdsRawKey } from '@lanewatch/query-api/contract/raw-key';

const COMPLAINT =
  'This looks like a raw key, and it was not sent. Register a key by pasting it where “Paste the key” asks for it; look one up by its hint or fingerprint.';

/**
 * Holds a form back while one of its fields holds a raw key: in an address it would stay in histories and logs. As strict as
 * query-api: filters take long identifiers of any kind, which what is stored does not. For a submit event, before anybody else
 * handles it.
 */
export function refuseRawKeys(event: SubmitEvent): void {
  const form = event.target;
  if (!(form instanceof HTMLFormElement)) return;
  // Not form.method: a field of that name would stand in its place.
  const holds = form.getAttribute('method')?.toLowerCase() === 'post' ? holdsRawKey : holdsKnownKey;
  const fields = form.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>(
    'input[name]:not([type="hidden"]), textarea[name]',
  );
  const field = [...fields].find(({ value }) => holds(value));
  if (field === undefined) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  field.setCustomValidity(COMPLAINT);
  field.reportValidity();
  field.addEventListener('input', () => field.setCustomValidity(''), { once: true });
}
