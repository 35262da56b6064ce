import { fail } from '@sveltejs/kit';
import { SQL_PASSWORD_VARIABLE, sqlTools, type SavedQueryInput, type SqlChart } from '@lanewatch/query-api/contract';
import { parametersIn } from './parameters.ts';
import type { Actions, PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals: { api }, url }) => {
  const [schema, saved, history] = await Promise.all([api.sqlSchema(), api.savedQueries(), api.sqlHistory()]);
  const id = url.searchParams.get('query');
  const chosen =
    saved.items.find((item) => item.id === id) ??
    saved.gallery.find((entry) => entry.title === url.searchParams.get('question')) ??
    null;
  const run = history.items.find((item) => item.id === url.searchParams.get('run'));
  // A link may carry the text itself: how a page says which query its figures come from.
  const text = url.searchParams.get('sql');
  const begun = text === null ? (run ?? null) : { sql: text, parameters: {} };
  return {
    ...{ schema, saved, history: history.items, begun, chosen: begun === null ? chosen : null },
    tools: sqlTools(schema.connection),
    passwordVariable: SQL_PASSWORD_VARIABLE,
  };
};

/** The form as it is: text, and the values of the parameters that the text names. */
function asked(form: FormData): { sql: string; parameters: Record<string, string> } {
  const sql = String(form.get('sql') ?? '');
  const parameters = parametersIn(sql).map(({ name }) => [name, String(form.get(`parameter ${name}`) ?? '')] as const);
  return { sql, parameters: Object.fromEntries(parameters) };
}

function chartOf(form: FormData): SqlChart | null {
  const kind = form.get('chart');
  const x = String(form.get('x') ?? '');
  const y = form.getAll('y').map(String);
  return (kind === 'line' || kind === 'bar') && x !== '' && y.length > 0 ? { kind, x, y } : null;
}

export const actions: Actions = {
  run: async ({ request, locals: { api } }) => {
    const query = asked(await request.formData());
    const outcome = await api.sql(query);
    if (!outcome.ok) return fail(outcome.problem.status, { ...query, problem: outcome.problem, result: null });
    return { ...query, problem: null, result: outcome.value };
  },
  save: async ({ request, locals: { api } }) => {
    const form = await request.formData();
    const query = asked(form);
    const input: SavedQueryInput = {
      ...query,
      title: String(form.get('title') ?? ''),
      chart: chartOf(form),
      is_shared: form.get('is_shared') === 'on',
    };
    const id = String(form.get('id') ?? '');
    const outcome = id === '' ? await api.saveQuery(input) : await api.changeQuery(id, input);
    if (!outcome.ok) return fail(outcome.problem.status, { ...query, problem: outcome.problem, result: null });
    return { ...query, problem: null, result: null, done: `“${outcome.value.title}” is kept.` };
  },
  remove: async ({ request, locals: { api } }) => {
    const form = await request.formData();
    const outcome = await api.removeQuery(String(form.get('id') ?? ''));
    const query = { sql: '', parameters: {}, result: null };
    if (!outcome.ok) return fail(outcome.problem.status, { ...query, problem: outcome.problem });
    return { ...query, problem: null, done: 'The query is deleted.' };
  },
};
