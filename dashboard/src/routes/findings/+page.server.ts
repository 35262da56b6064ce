import { fail } from '@sveltejs/kit';
import { findingsQuerySchema } from '@lanewatch/query-api/contract';
import { parseQuery } from '#lib/query.ts';
import { commandOf, commentedWords, doneWords } from '#lib/triage.ts';
import type { Actions, PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, url }) => {
  // What still wants a decision comes first; `status=all` shows the whole history.
  const all = url.searchParams.get('status') === 'all';
  const query = parseQuery(findingsQuerySchema, url.searchParams);
  const status = all ? undefined : (query.status ?? 'unresolved');
  const loadedAt = new Date().toISOString();
  const [findings, assignees] = await Promise.all([
    locals.api.findings({ ...query, status, counts: 'statuses' }),
    // Without it everything but assigning to somebody else works.
    locals.api.assignees().catch(() => ({ items: [] })),
  ]);
  return { findings, assignees: assignees.items, query, status: status ?? 'all', loadedAt };
};
export const actions: Actions = {
  /** Acts without JavaScript. */
  triage: async ({ request, locals }) => {
    const form = await request.formData();
    const command = commandOf(form, Date.now());
    if (command.ids.length === 0) return fail(400, { complaint: 'Choose findings first.' });
    const isComment = form.get('act') === 'comment';
    const outcome = isComment
      ? await locals.api.commentOn(command.ids, command.reason ?? '')
      : await locals.api.triage(command);
    if (!outcome.ok) {
      const { detail, title, errors, status } = outcome.problem;
      return fail(status >= 500 ? 502 : status, {
        complaint: errors.map(({ path, message }) => `${path} ${message}`).join(', ') || detail || title,
      });
    }
    const refused = outcome.value.items.filter((item) => item.outcome === 'refused');
    return {
      done: isComment ? commentedWords(outcome.value.done) : doneWords(command, outcome.value.done),
      refused: refused.map(({ id, detail }) => ({ id, detail })),
      undo: isComment || command.act === 'reopen' || command.act === 'assign' ? [] : command.ids,
    };
  },
};
