import { pageQuerySchema } from '@lanewatch/query-api/contract';
import { parseQuery } from '#lib/query.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, url }) => {
  const { cursor } = parseQuery(pageQuerySchema, url.searchParams);
  const [collectors, letters] = await Promise.all([
    locals.api.collectors(),
    locals.api.deadLetters({ limit: 20, cursor }),
  ]);
  return { collectors: collectors.items, held: collectors.dead_letters, letters };
};
