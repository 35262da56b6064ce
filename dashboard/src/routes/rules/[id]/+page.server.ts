import { fail, isHttpError, redirect } from '@sveltejs/kit';
import type { RulePatch } from '@lanewatch/query-api/contract';
import { refused } from '#lib/form-answer.ts';
import type { Actions, PageServerLoad } from './$types';
import { patchOf } from './rule-form.ts';
import { ruleShown } from './trial-words.ts';

/** A backtest is kept for a month; the link to it may be older. */
function nullWhereGone(problem: unknown): null {
  if (isHttpError(problem, 404)) return null;
  throw problem;
}

export const load: PageServerLoad = async ({ locals: { api }, params, url }) => {
  const id = url.searchParams.get('backtest');
  const [rule, trial] = await Promise.all([
    api.rule(params.id),
    id === null ? null : api.backtest(id).catch(nullWhereGone),
  ]);
  const own = trial?.rule === '' || trial?.rule === rule.id ? trial : null;
  return { rule, trial: own, isTrialGone: id !== null && own === null, shown: ruleShown(rule, own) };
};

export const actions: Actions = {
  save: async ({ request, locals: { api }, params }) => {
    const form = await request.formData();
    const rule = await api.rule(params.id);
    const { patch, errors } = patchOf(form, rule);
    if (errors.length > 0) return fail(400, { part: 'rule' as const, complaint: '', errors, stepUp: false });
    const outcome = await api.setRule(params.id, patch satisfies RulePatch);
    return outcome.ok ? { part: 'rule' as const, done: true } : refused('rule', outcome.problem);
  },
  try: async ({ request, locals: { api }, params }) => {
    const form = await request.formData();
    const { patch, errors } = patchOf(form, await api.rule(params.id));
    if (errors.length > 0) return fail(400, { part: 'rule' as const, complaint: '', errors, stepUp: false });
    const { version: _version, mode: _mode, suppress_by: _by, suppress_ms: _ms, ...tried } = patch;
    const outcome = await api.tryRule(params.id, { ...tried, days: Number(form.get('days')) });
    if (!outcome.ok) return refused('rule', outcome.problem);
    redirect(303, `/rules/${encodeURIComponent(params.id)}?backtest=${encodeURIComponent(outcome.value.id)}`);
  },
  cancel: async ({ request, locals: { api }, params }) => {
    const id = String((await request.formData()).get('backtest') ?? '');
    const outcome = await api.stopBacktest(id);
    if (!outcome.ok) return refused('rule', outcome.problem);
    redirect(303, `/rules/${encodeURIComponent(params.id)}?backtest=${encodeURIComponent(id)}`);
  },
};
