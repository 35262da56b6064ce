import { overviewQuerySchema } from '@lanewatch/query-api/contract';
import { parseQuery } from '#lib/query.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, params, url }) => {
  const { window } = parseQuery(overviewQuerySchema, url.searchParams);
  return { lane: await locals.api.lane(params.lane, window) };
};
