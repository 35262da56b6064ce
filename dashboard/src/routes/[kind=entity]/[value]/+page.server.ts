import { error } from '@sveltejs/kit';
import { overviewQuerySchema, valueOfSegment } from '@lanewatch/query-api/contract';
import { kindOfPath } from '#lib/entity-kinds.ts';
import { parseQuery } from '#lib/query.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, params, url }) => {
  const kind = kindOfPath(params.kind) ?? error(404);
  const { window } = parseQuery(overviewQuerySchema, url.searchParams);
  return { entity: await locals.api.entity(kind, valueOfSegment(params.value), window) };
};
