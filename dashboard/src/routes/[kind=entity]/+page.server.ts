import { error } from '@sveltejs/kit';
import { entitiesQuerySchema } from '@lanewatch/query-api/contract';
import { kindOfPath } from '#lib/entity-kinds.ts';
import { parseQuery } from '#lib/query.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, params, url }) => {
  const kind = kindOfPath(params.kind) ?? error(404);
  const query = parseQuery(entitiesQuerySchema, url.searchParams);
  return { kind, query, list: await locals.api.entities(kind, query) };
};
