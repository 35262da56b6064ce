import { redirect } from '@sveltejs/kit';
import { changedQuery } from '#lib/query.ts';
import { ADDED_COLUMN, ADDED_VALUE, chipsOf, FILTER_CHOICES } from './filters.ts';
import { exactBounds, readLedgerQuery } from './ledger-query.ts';
import type { PageServerLoad } from './$types';

/**
 * The form for a further filter sends the column and the value apart, because without JavaScript a field can't take its name
 * from another one. They become the column's own parameter here.
 */
function addFilter(url: URL): void {
  const column = url.searchParams.get(ADDED_COLUMN);
  if (column === null) return;
  const value = (url.searchParams.get(ADDED_VALUE) ?? '').trim();
  const added =
    value === '' || !FILTER_CHOICES.some(([name]) => name === column)
      ? {}
      : { [column]: [...new Set([...url.searchParams.getAll(column), value])] };
  redirect(303, changedQuery(url, { ...added, [ADDED_COLUMN]: null, [ADDED_VALUE]: null }));
}

export const load: PageServerLoad = async ({ locals, url }) => {
  addFilter(url);
  const bounds = exactBounds(url.searchParams);
  if (bounds) redirect(303, changedQuery(url, bounds));
  const { query, refused } = readLedgerQuery(url.searchParams);
  return { ledger: refused.length > 0 ? null : await locals.api.ledger(query), chips: chipsOf(query), refused };
};
