import { redirect } from '@sveltejs/kit';
import type { LedgerItem } from '@lanewatch/query-api/contract';
import { placeOf } from '#lib/place.ts';
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

/** Sums that are as good as there come with the rows, which spares the page a change. */
const GRACE_MS = 20;

/** What the page shows of a row before somebody opens it. */
const shownOf = (row: LedgerItem) => ({
  place: placeOf(row),
  seen_at: row.seen_at,
  hint: row.hint,
  lane: row.lane,
  standing: row.standing,
  user: row.user,
  model: row.model,
  outcome: row.outcome,
  cost_usd: row.cost_usd,
});

export const load: PageServerLoad = async ({ locals, url }) => {
  addFilter(url);
  const bounds = exactBounds(url.searchParams);
  if (bounds) redirect(303, changedQuery(url, bounds));
  const { query, refused } = readLedgerQuery(url.searchParams);
  const chips = chipsOf(query);
  if (refused.length > 0) return { ledger: null, totals: null, chips, refused };
  // Counted beside the rows and never waited for: sums that are not there with them follow.
  const counting =
    query.cursor === undefined ? locals.api.ledgerTotals(query).catch(() => null) : Promise.resolve(null);
  const { items, next_cursor } = await locals.api.ledger({ ...query, totals: false });
  const early = await Promise.race([counting, new Promise<undefined>((resolve) => setTimeout(resolve, GRACE_MS))]);
  return {
    ledger: { items: items.map(shownOf), next_cursor },
    totals: early === undefined ? counting : early,
    chips,
    refused,
  };
};
