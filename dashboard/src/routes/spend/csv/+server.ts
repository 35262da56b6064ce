import { askedOf } from '../address.ts';
import { csvOf } from '../csv.ts';
import type { RequestHandler } from './$types';

/** The page's rows as a file, of the same address. */
export const GET: RequestHandler = async ({ locals, url }) => {
  const { switch_to: _switchTo, ...asked } = askedOf(url.searchParams);
  const spend = await locals.api.spend(asked);
  const name = `spend-by-${spend.by}-${spend.from.slice(0, 10)}.csv`;
  return new Response(csvOf(spend), {
    headers: {
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': `attachment; filename="${name}"`,
      'cache-control': 'no-store',
    },
  });
};
