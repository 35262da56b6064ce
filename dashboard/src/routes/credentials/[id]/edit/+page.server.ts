import { needsStepUp } from '#lib/form-answer.ts';
import { fail, redirect } from '@sveltejs/kit';
import { credentialHref } from '#lib/links.ts';
import { queryString } from '#lib/query.ts';
import { keyChoicesOf } from '../../fields/choices.ts';
import { changesOf, keyFieldsOf, keyFieldsOfCredential, shownAgain } from '../../fields/key-fields.ts';
import type { Actions, PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, params }) => {
  const [credential, choices] = await Promise.all([locals.api.credential(params.id), keyChoicesOf(locals.api)]);
  if (credential.status === 'revoked') redirect(303, credentialHref(credential.id));
  return { credential, fields: keyFieldsOfCredential(credential), choices };
};

export const actions: Actions = {
  /**
   * First says what the change does, who would start failing by it, and what to think of; sent again as it was told, it is saved. Whoever
   * changes the form between the two is told again.
   */
  default: async ({ request, locals, params }) => {
    const form = await request.formData();
    const fields = keyFieldsOf(form);
    const credential = await locals.api.credential(params.id);
    const changes = changesOf(credential, fields, Date.now());
    // A day is told to the minute: the instant of “in 30 days” is another at the second press.
    const told = JSON.stringify({ ...changes, expires_at: changes.expires_at?.slice(0, 10) });
    const isConfirmed = form.get('told') === told;
    const version = Number(form.get('version'));
    const outcome = await locals.api.editCredential(params.id, { ...changes, version, dry_run: !isConfirmed });
    if (!outcome.ok) {
      const { status, detail, title, errors } = outcome.problem;
      const stepUp = needsStepUp(outcome.problem);
      const refused = {
        detail: detail || title,
        errors,
        stepUp,
        mayBeDone: outcome.mayBeDone,
        isConflict: status === 409,
      };
      return fail(status >= 500 ? 502 : status, { fields: shownAgain(fields), refused });
    }
    if (!isConfirmed) return { fields: shownAgain(fields), review: { ...outcome.value, told } };
    const { changes: made, published } = outcome.value;
    const said = { done: made.length === 0 ? null : 'edited', published: published ? null : 'later' };
    redirect(303, credentialHref(params.id) + queryString(said));
  },
};
