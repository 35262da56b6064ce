import { json } from '@sveltejs/kit';
import type { RequestHandler } from './$types';

/** What a query would cost; null where that can't be told, which running it then says why. */
export const POST: RequestHandler = async ({ locals, request }) => {
  const outcome = await locals.api.sqlEstimate(await request.json());
  return json(outcome.ok ? outcome.value : null, { headers: { 'cache-control': 'no-store' } });
};
