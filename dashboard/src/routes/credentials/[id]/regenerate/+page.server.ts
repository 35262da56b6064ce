import { needsStepUp } from '#lib/form-answer.ts';
import { INGEST_URL } from '$app/env/private';
import { fail, redirect } from '@sveltejs/kit';
import { holdsRawKey } from '@lanewatch/query-api/contract/raw-key';
import { actHref } from '#lib/links.ts';
import type { Actions, PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, params }) => {
  const [credential, impact] = await Promise.all([
    locals.api.credential(params.id),
    locals.api.impact(params.id, 'regenerate').catch(() => null),
  ]);
  // Only its provider makes a new one of a provider's key.
  if (credential.kind !== 'managed') redirect(303, actHref(credential.id, 'rotate'));
  return { credential, impact, ingestUrl: INGEST_URL };
};

export const actions: Actions = {
  /** Makes a new secret and ends every older one; answers with the new one, this once. */
  default: async ({ request, locals, params }) => {
    const form = await request.formData();
    const reason = String(form.get('reason') ?? '').trim();
    const version = Number(form.get('version'));
    const outcome = await locals.api.regenerateCredential(params.id, { version, reason });
    if (!outcome.ok) {
      const { status, detail, title, errors } = outcome.problem;
      const stepUp = needsStepUp(outcome.problem);
      const refused = { detail: detail || title, errors, stepUp, mayBeDone: outcome.mayBeDone };
      return fail(status >= 500 ? 502 : status, { refused, reason: holdsRawKey(reason) ? '' : reason });
    }
    const { id, name, hint, may_ship_events: shipsEvents } = outcome.value.credential;
    return { issued: { id, name, hint, secret: outcome.value.secret ?? '', shipsEvents } };
  },
};
