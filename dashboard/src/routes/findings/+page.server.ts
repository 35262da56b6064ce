import { findingsQuerySchema } from '@lanewatch/query-api/contract';
import { parseQuery } from '#lib/query.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, url }) => {
  // What still wants a decision comes first; `status=all` shows the whole history.
  const all = url.searchParams.get('status') === 'all';
  const query = parseQuery(findingsQuerySchema, url.searchParams);
  const status = all ? undefined : (query.status ?? 'unresolved');
  return { findings: await locals.api.findings({ ...query, status }), query, status: status ?? 'all' };
};
