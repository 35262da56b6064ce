import { json } from '@sveltejs/kit';
import { readRow } from './row.ts';
import type { RequestHandler } from './$types';

/** The same row for a page that has its summary already. */
export const GET: RequestHandler = async ({ locals, params, url }) =>
  json(await readRow(locals.api, params.place, url.searchParams));
