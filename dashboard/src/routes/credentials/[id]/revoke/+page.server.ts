import { fail, redirect } from '@sveltejs/kit';
import { holdsRawKey } from '@lanewatch/query-api/contract/raw-key';
import { credentialHref } from '#lib/links.ts';
import { queryString } from '#lib/query.ts';
import type { Actions, PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, params }) => {
  const credential = await locals.api.credential(params.id);
  if (credential.status === 'revoked') redirect(303, credentialHref(credential.id));
  return { credential };
};

export const actions: Actions = {
  /** Revokes and shows the key as it is then. */
  default: async ({ request, locals, params }) => {
    const reason = String((await request.formData()).get('reason') ?? '').trim();
    const outcome = await locals.api.revokeCredential(params.id, reason);
    if (!outcome.ok) {
      const { status, detail, title } = outcome.problem;
      return fail(status >= 500 ? 502 : status, {
        complaint: detail || title,
        mayBeDone: outcome.mayBeDone,
        // Without JavaScript the page is made anew, and what was typed with it. A raw key is not written back.
        reason: holdsRawKey(reason) ? '' : reason,
      });
    }
    redirect(
      303,
      credentialHref(params.id) + queryString({ done: 'revoked', published: outcome.value.published ? null : 'later' }),
    );
  },
};
