import { fail } from '@sveltejs/kit';
import type { RulePatch } from '@lanewatch/query-api/contract';
import { refused } from '#lib/form-answer.ts';
import type { Actions, PageServerLoad } from './$types';
import { patchOf } from './rule-form.ts';

export const load: PageServerLoad = async ({ locals: { api }, params }) => ({ rule: await api.rule(params.id) });

export const actions: Actions = {
  save: async ({ request, locals: { api }, params }) => {
    const form = await request.formData();
    const rule = await api.rule(params.id);
    const { patch, errors } = patchOf(form, rule);
    if (errors.length > 0) return fail(400, { part: 'rule' as const, complaint: '', errors, stepUp: false });
    const outcome = await api.setRule(params.id, patch satisfies RulePatch);
    return outcome.ok ? { part: 'rule' as const, done: true } : refused('rule', outcome.problem);
  },
};
