import { error, fail, redirect } from '@sveltejs/kit';
import type { Actions, PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ url, locals }) => {
  const token = url.searchParams.get('token') ?? '';
  const outcome = await locals.api.lookAtInvitation(token);
  if (!outcome.ok) error(outcome.problem.status >= 500 ? 502 : 404, outcome.problem.detail || outcome.problem.title);
  return { token, invitation: outcome.value };
};

export const actions: Actions = {
  default: async ({ request, locals }) => {
    const form = await request.formData();
    const text = (name: string) => String(form.get(name) ?? '');
    const body = { token: text('token'), name: text('name').trim(), password: text('password') };
    const outcome = await locals.api.acceptInvitation(body);
    // With an authenticator the code is still to come: that page asks for it after the password.
    if (outcome.ok) redirect(303, outcome.value.status === 'signed_in' ? '/' : '/sign-in');
    const { status, detail, title, errors } = outcome.problem;
    return fail(status >= 500 ? 502 : status, {
      ...{ name: body.name, errors },
      complaint: errors.length === 0 ? detail || title : '',
    });
  },
};
