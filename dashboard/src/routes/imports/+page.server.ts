import { fail } from '@sveltejs/kit';
import type { Actions, PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals }) => ({ providers: (await locals.api.imports()).items });

export const actions: Actions = {
  /** First says what would change, key by key; sent again as it was told, it is done. */
  default: async ({ request, locals }) => {
    const form = await request.formData();
    const [provider, org] = ['provider', 'org'].map((name) => String(form.get(name) ?? ''));
    const outcome = await locals.api.importKeys(provider ?? '', org ?? '', form.get('act') !== 'import');
    if (outcome.ok) return { provider, org, told: outcome.value };
    const { status, detail, title } = outcome.problem;
    return fail(status >= 500 ? 502 : status, { provider, org, complaint: detail || title });
  },
};
