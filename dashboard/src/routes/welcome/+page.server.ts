import { fail, redirect } from '@sveltejs/kit';
import type { Actions, PageServerLoad } from './$types';

/**
 * The first admin says who they are, once. Where that may wait and something was observed already, somebody who signs in came to see it:
 * they are led there, and the account page still asks.
 */
export const load: PageServerLoad = async ({ locals, url }) => {
  const me = await locals.api.me();
  if (me.setup === 'done') redirect(303, '/account');
  if (me.setup === 'optional' && url.searchParams.get('from') === 'sign-in') {
    const overview = await locals.api.overview('1h').catch(() => null);
    if (overview !== null && overview.last_stored_at !== null) redirect(303, '/');
  }
  return { mayWait: me.setup === 'optional' };
};

export const actions: Actions = {
  default: async ({ request, locals }) => {
    const form = await request.formData();
    const text = (name: string) => String(form.get(name) ?? '');
    const body = { name: text('name').trim(), email: text('email').trim(), password: text('password') };
    const outcome = await locals.api.setUp(body);
    if (outcome.ok) redirect(303, '/onboarding');
    const { status, detail, title, errors } = outcome.problem;
    return fail(status >= 500 ? 502 : status, {
      ...{ name: body.name, email: body.email, errors },
      complaint: errors.length === 0 ? detail || title : '',
    });
  },
};
