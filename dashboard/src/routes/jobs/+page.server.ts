import { refused } from '#lib/form-answer.ts';
import type { Actions, PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals: { api } }) => ({ jobs: (await api.jobs()).items });

export const actions: Actions = {
  run: async ({ request, locals }) => {
    const id = String((await request.formData()).get('id') ?? '');
    const outcome = await locals.api.runJob(id);
    if (!outcome.ok) return { ...refused('run', outcome.problem) };
    const { title, state, runs } = outcome.value;
    return { done: `${title}: ${state === 'running' ? 'it is at work' : (runs[0]?.detail ?? '')}` };
  },
};
