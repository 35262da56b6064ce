import { redirect } from '@sveltejs/kit';
import { pageQuerySchema } from '@lanewatch/query-api/contract';
import { refused } from '#lib/form-answer.ts';
import { evidenceHref } from '#lib/links.ts';
import { parseQuery, queryOf } from '#lib/query.ts';
import { filtersIn, whatOf } from './request.ts';
import type { Actions, PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals: { api }, url }) => {
  const { limit, cursor } = parseQuery(pageQuerySchema, url.searchParams);
  const filters = filtersIn(url.searchParams);
  const [receipts, signing, evidence] = await Promise.all([
    api.exports({ limit, cursor }),
    api.signingKey(),
    api.evidencePage({ limit: 20 }),
  ]);
  const chips = Object.entries(queryOf(filters)).flatMap(([name, values]) =>
    [values].flat().map((value) => ({ name, label: name.replaceAll('_', ' '), value })),
  );
  return {
    receipts,
    signing,
    evidence,
    chips,
    what: whatOf(url.searchParams.get('what')),
    filters: filters.toString(),
  };
};

export const actions: Actions = {
  signing: async ({ locals }) => {
    const outcome = await locals.api.setUpSigning();
    return outcome.ok ? { part: 'signing' as const, done: true } : refused('signing', outcome.problem);
  },
  evidence: async ({ request, locals }) => {
    const outcome = await locals.api.captureEvidence(String((await request.formData()).get('export_id') ?? ''));
    if (outcome.ok) redirect(303, evidenceHref(outcome.value.id));
    return refused('evidence', outcome.problem);
  },
};
