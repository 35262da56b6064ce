import { overviewQuerySchema } from '@lanewatch/query-api/contract';
import { parseQuery } from '#lib/query.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, params, url }) => {
  const { window } = parseQuery(overviewQuerySchema, url.searchParams);
  // The overview gives the window's exact bounds, so that links to rows cover what was counted here.
  const [lane, overview] = await Promise.all([locals.api.lane(params.lane, window), locals.api.overview(window)]);
  return { lane, from: overview.from, to: overview.to };
};
