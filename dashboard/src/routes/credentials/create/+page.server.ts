import { needsStepUp } from '#lib/form-answer.ts';
import { INGEST_URL } from '$app/env/private';
import { fail } from '@sveltejs/kit';
import { SCOPE_TEMPLATES } from '@lanewatch/query-api/contract/credential-facts';
import { randomUUID } from 'node:crypto';
import { keyChoicesOf } from '../fields/choices.ts';
import { createRequestOf, emptyKeyFields, keyFieldsOf, shownAgain, type KeyFields } from '../fields/key-fields.ts';
import type { Actions, PageServerLoad } from './$types';

/** A form that begins from a template; a collector is shared by those whose use it reports. */
function prefilled(template: string | null): KeyFields {
  const scopes = SCOPE_TEMPLATES.find(({ id }) => id === template)?.scopes ?? [];
  const fields = { ...emptyKeyFields(), scopes: scopes.map((scope) => ({ ...scope })) };
  if (template !== 'collector') return fields;
  return { ...fields, environment: 'production', module: 'monitoring_logs', sharing: 'team' };
}

export const load: PageServerLoad = async ({ locals, url }) => ({
  fields: prefilled(url.searchParams.get('template')),
  choices: await keyChoicesOf(locals.api),
  ingestUrl: INGEST_URL,
  /** Sent with the form: pressed twice, it makes one key. */
  once: randomUUID(),
});

export const actions: Actions = {
  /** Issues a key and answers with its secret, this once. */
  default: async ({ request, locals }) => {
    const form = await request.formData();
    const fields = keyFieldsOf(form);
    const outcome = await locals.api.createCredential(
      createRequestOf(fields, Date.now()),
      String(form.get('once') ?? ''),
    );
    if (!outcome.ok) {
      const { status, detail, title, errors } = outcome.problem;
      const stepUp = needsStepUp(outcome.problem);
      const refused = { detail: detail || title, errors, stepUp, mayBeDone: outcome.mayBeDone };
      return fail(status >= 500 ? 502 : status, { fields: shownAgain(fields), refused });
    }
    const { credential, secret, warnings } = outcome.value;
    const { id, name, hint, may_ship_events: shipsEvents } = credential;
    // Asked for a second time, after a minute, the secret is not told again: the key is there, and its page says how to go on.
    return { issued: { id, name, hint, secret: secret ?? '', shipsEvents, warnings } };
  },
};
