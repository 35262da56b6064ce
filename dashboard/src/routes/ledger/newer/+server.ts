import { json } from '@sveltejs/kit';
import { placeOf } from '#lib/place.ts';
import { LEDGER_COLUMNS_COOKIE } from '#lib/preferences.ts';
import { columnsOf, shownOf } from '../columns.ts';
import { readLedgerQuery } from '../ledger-query.ts';
import type { RequestHandler } from './$types';

/** Rows of a filter that were stored after an instant, for a page that follows the ledger. */
export const GET: RequestHandler = async ({ locals, url, cookies }) => {
  const { query, refused } = readLedgerQuery(url.searchParams);
  if (refused.length > 0 || query.stored_after === undefined)
    return json({ items: [], readAt: query.stored_after ?? '' });
  const columns = columnsOf(cookies.get(LEDGER_COLUMNS_COOKIE));
  const { items } = await locals.api.ledger({ ...query, cursor: undefined, totals: false });
  return json({
    items: items.map((row) => shownOf(row, placeOf(row), columns)),
    readAt: items.reduce((newest, { stored_at }) => (stored_at > newest ? stored_at : newest), query.stored_after),
  });
};
