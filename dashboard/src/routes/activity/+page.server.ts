import { ledgerQuerySchema } from '@lanewatch/query-api/contract';
import { moduleChoices } from '#lib/modules.ts';
import { parseQuery } from '#lib/query.ts';
import { chipsOf } from '../ledger/filters.ts';
import { exactBounds } from '../ledger/ledger-query.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals: { api }, url }) => {
  const params = new URLSearchParams(url.searchParams);
  for (const [name, instant] of Object.entries(exactBounds(params) ?? {})) params.set(name, instant);
  const query = parseQuery(ledgerQuerySchema, params);
  const [{ items, next_cursor }, modules] = await Promise.all([
    api.ledger({ ...query, totals: false }),
    moduleChoices(api, query.module?.at(-1)),
  ]);
  return { items, next_cursor, chips: chipsOf(query), modules };
};
