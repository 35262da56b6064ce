import { refused } from '#lib/form-answer.ts';
import type { Actions, PageServerLoad } from './$types';

/** What keeps a new organisation from a first key whose use is proven. */
export const load: PageServerLoad = async ({ locals: { api } }) => {
  const [onboarding, me] = await Promise.all([api.onboarding(), api.me()]);
  return { onboarding, email: me.email };
};

export const actions: Actions = {
  signing: async ({ locals }) => {
    const outcome = await locals.api.setUpSigning();
    return outcome.ok ? { part: 'signing' as const } : refused('signing', outcome.problem);
  },
  account: async ({ request, locals }) => {
    const form = await request.formData();
    const text = (name: string) => String(form.get(name) ?? '').trim();
    const body = { name: text('name'), owner: text('owner'), description: '' };
    const outcome = await locals.api.addToDirectory('service_account', body);
    return outcome.ok ? { part: 'account' as const } : refused('account', outcome.problem);
  },
};
