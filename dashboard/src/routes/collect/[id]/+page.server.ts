import { INGEST_URL } from '$app/env/private';
import { refused } from '#lib/form-answer.ts';
import type { Actions, PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ params, locals: { api } }) => ({
  collection: await api.collection(params.id),
  ingestUrl: INGEST_URL,
});

export const actions: Actions = {
  /** Makes the new secret and answers with it, this once. */
  default: async ({ params, locals }) => {
    const outcome = await locals.api.collect(params.id);
    return outcome.ok ? { collected: outcome.value } : refused('collect', outcome.problem);
  },
};
