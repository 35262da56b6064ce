import { pageQuerySchema } from '@lanewatch/query-api/contract';
import { refused } from '#lib/form-answer.ts';
import { parseQuery, queryOf } from '#lib/query.ts';
import { filtersIn, whatOf } from './request.ts';
import type { Actions, PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals: { api }, url }) => {
  const { limit, cursor } = parseQuery(pageQuerySchema, url.searchParams);
  const filters = filtersIn(url.searchParams);
  const [receipts, signing] = await Promise.all([api.exports({ limit, cursor }), api.signingKey()]);
  const chips = Object.entries(queryOf(filters)).flatMap(([name, values]) =>
    [values].flat().map((value) => ({ name, label: name.replaceAll('_', ' '), value })),
  );
  return { receipts, signing, chips, what: whatOf(url.searchParams.get('what')), filters: filters.toString() };
};

export const actions: Actions = {
  signing: async ({ locals }) => {
    const outcome = await locals.api.setUpSigning();
    return outcome.ok ? { part: 'signing' as const, done: true } : refused('signing', outcome.problem);
  },
};
