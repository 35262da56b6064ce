import { json } from '@sveltejs/kit';
import type { RequestHandler } from './$types';

/** Values to choose from, for fields of parameters and for completion. */
export const GET: RequestHandler = async ({ locals }) =>
  json(await locals.api.sqlValues(), { headers: { 'cache-control': 'no-store' } });
