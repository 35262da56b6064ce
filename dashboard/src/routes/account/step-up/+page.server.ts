import { fail, redirect } from '@sveltejs/kit';
import { localPath } from '#lib/preferences.ts';
import type { Actions, PageServerLoad } from './$types';

/** The address exists for its form; opened by itself it asks as well. */
export const load: PageServerLoad = () => ({});

export const actions: Actions = {
  default: async ({ request, locals }) => {
    const form = await request.formData();
    const returnTo = localPath(String(form.get('return_to') ?? '/account'));
    const outcome = await locals.api.stepUp(String(form.get('code') ?? '').replace(/\s/g, ''));
    if (outcome.ok) redirect(303, returnTo);
    const { status, detail, title, errors } = outcome.problem;
    const complaint = errors[0] ? `The code ${errors[0].message}.` : detail || title;
    return fail(status >= 500 ? 502 : status, { complaint, returnTo });
  },
};
