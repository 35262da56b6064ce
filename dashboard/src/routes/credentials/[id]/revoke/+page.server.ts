import { fail, redirect } from '@sveltejs/kit';
import { holdsRawKey } from '@lanewatch/query-api/contract/raw-key';
import { credentialHref } from '#lib/links.ts';
import { queryString } from '#lib/query.ts';
import type { Actions, PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, params }) => {
  const [credential, impact] = await Promise.all([
    locals.api.credential(params.id),
    locals.api.impact(params.id, 'revoke').catch(() => null),
  ]);
  if (credential.status === 'revoked') redirect(303, credentialHref(credential.id));
  return { credential, impact };
};

export const actions: Actions = {
  /** Revokes and shows the key as it is then. What is typed as its name is judged by query-api, which knows it. */
  default: async ({ request, locals, params }) => {
    const form = await request.formData();
    const reason = String(form.get('reason') ?? '').trim();
    const confirm = String(form.get('confirm') ?? '').trim();
    // A raw key is not written back.
    const typed = { reason: holdsRawKey(reason) ? '' : reason, confirm: holdsRawKey(confirm) ? '' : confirm };
    if (reason === '' || confirm === '') {
      const missing = confirm === '' ? 'Type the name of the key.' : 'Say why: the reason is kept with the key.';
      return fail(400, { ...typed, complaint: missing, mayBeDone: false });
    }
    const outcome = await locals.api.revokeCredential(params.id, { reason, confirm });
    if (!outcome.ok) {
      const { status, detail, title } = outcome.problem;
      return fail(status >= 500 ? 502 : status, {
        ...typed,
        complaint: detail || title,
        mayBeDone: outcome.mayBeDone,
      });
    }
    const { published, findings_resolved: resolved } = outcome.value;
    const said = { done: 'revoked', resolved, published: published ? null : 'later' };
    redirect(303, credentialHref(params.id) + queryString(said));
  },
};
