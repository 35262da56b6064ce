import { fail } from '@sveltejs/kit';
import type { Actions, PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, params }) => ({ letter: await locals.api.deadLetter(params.id) });

export const actions: Actions = {
  /** Puts it on the usage topic again, and shows it as it is then. */
  default: async ({ locals, params }) => {
    const outcome = await locals.api.replayDeadLetter(params.id);
    if (outcome.ok) return { replayed: true, complaint: '' };
    const { status, detail, title } = outcome.problem;
    return fail(status >= 500 ? 502 : status, { replayed: false, complaint: detail || title });
  },
};
