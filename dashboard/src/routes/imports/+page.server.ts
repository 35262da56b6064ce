import { importRefused } from '../credentials/import/refusal.ts';
import type { Actions, PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals }) => ({ providers: (await locals.api.imports()).items });

export const actions: Actions = {
  /** First says what would change, key by key; sent again as it was told, it is done. */
  default: async ({ request, locals }) => {
    const form = await request.formData();
    const text = (name: string) => String(form.get(name) ?? '');
    const kept = { provider: text('provider'), org: text('org') };
    const isDryRun = form.get('act') !== 'import';
    const outcome = await locals.api.importKeys(kept.provider, kept.org, isDryRun);
    return outcome.ok ? { ...kept, told: outcome.value } : importRefused(outcome, isDryRun, kept);
  },
};
