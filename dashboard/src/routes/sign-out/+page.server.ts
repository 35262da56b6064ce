import { redirect } from '@sveltejs/kit';
import { SESSION_COOKIE } from '@lanewatch/query-api/contract';
import type { Actions, PageServerLoad } from './$types';

/** The address exists for its form only. */
export const load: PageServerLoad = () => redirect(303, '/');

export const actions: Actions = {
  /** Ends the session on query-api and forgets it here, even when query-api can't be reached. */
  default: async ({ locals, cookies }) => {
    await locals.api.signOut().catch(() => undefined);
    cookies.delete(SESSION_COOKIE, { path: '/', secure: false });
    redirect(303, '/sign-in');
  },
};
