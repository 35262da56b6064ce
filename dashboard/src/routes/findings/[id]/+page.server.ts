import { fail } from '@sveltejs/kit';
import type { Problem } from '@lanewatch/query-api/contract';
import { commandOf, doneWords } from '#lib/triage.ts';
import type { Actions, PageServerLoad } from './$types';

const PROOF_ROWS = 10;

export const load: PageServerLoad = async ({ locals, params }) => {
  const loadedAt = new Date().toISOString();
  const finding = await locals.api.finding(params.id);
  const [proof, assignees] = await Promise.all([
    // The rows are the proof, not the finding: without them the page still says what fired and why.
    locals.api.ledger({ ...finding.ledger_filter, limit: PROOF_ROWS }).catch(() => null),
    locals.api.assignees().catch(() => ({ items: [] })),
  ]);
  return { finding, proof, assignees: assignees.items, loadedAt };
};

const refusal = ({ status, detail, title, errors }: Problem) =>
  fail(status >= 500 ? 502 : status, { complaint: detail || errors[0]?.message || title });

export const actions: Actions = {
  triage: async ({ request, locals, params }) => {
    const form = await request.formData();
    form.set('id', params.id);
    const command = commandOf(form, Date.now());
    const outcome = await locals.api.triage(command);
    if (!outcome.ok) return refusal(outcome.problem);
    const [item] = outcome.value.items;
    if (item?.outcome === 'refused' || item?.outcome === 'missing') return fail(409, { complaint: item.detail });
    const undo = outcome.value.done > 0 && command.act !== 'reopen' && command.act !== 'assign' ? 'reopen' : '';
    return { done: doneWords(command, outcome.value.done), undo };
  },
  comment: async ({ request, locals, params }) => {
    const outcome = await locals.api.commentOn([params.id], String((await request.formData()).get('text') ?? ''));
    return outcome.ok ? { done: 'Comment added.', undo: '' } : refusal(outcome.problem);
  },
};
