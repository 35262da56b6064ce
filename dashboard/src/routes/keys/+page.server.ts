import { lanesQuerySchema } from '@lanewatch/query-api/contract';
import { parseQuery } from '#lib/query.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, url }) => {
  const query = parseQuery(lanesQuerySchema, url.searchParams);
  const [overview, lanes] = await Promise.all([locals.api.overview(query.window), locals.api.lanes(query)]);
  return { overview, lanes, query };
};
