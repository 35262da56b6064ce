import { QUERY_API_URL } from '$app/env/private';
import { readRow } from './row.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, params, url }) => ({
  ...(await readRow(locals.api, params.place, url.searchParams)),
  queryApiUrl: QUERY_API_URL,
});
