import { QUERY_API_URL } from '$app/env/private';
import { redirect } from '@sveltejs/kit';
import { parseLedgerFilter } from '@lanewatch/query-api/contract';
import { instantOfLocal } from '#lib/format/local-time.ts';
import { placeOf } from '#lib/place.ts';
import { LEDGER_COLUMNS_COOKIE, ZONE_COOKIE, zoneOf } from '#lib/preferences.ts';
import { changedQuery } from '#lib/query.ts';
import { columnsOf, shownOf } from './columns.ts';
import { chipsOf } from './filters.ts';
import { drawnOf } from './histogram.ts';
import { exactBounds, readLedgerQuery } from './ledger-query.ts';
import type { PageServerLoad } from './$types';

/** Bounds as fields for date and time send them, in the reader's zone; they become the exact ones here, without JavaScript, too. */
const LOCAL_BOUNDS = [
  ['from_local', 'from'],
  ['to_local', 'to'],
] as const;

function readLocalBounds(url: URL, zone: string): void {
  if (!LOCAL_BOUNDS.some(([local]) => url.searchParams.has(local))) return;
  const changes = LOCAL_BOUNDS.flatMap(([local, name]) => {
    const text = url.searchParams.get(local);
    if (text === null) return [];
    // What is no time is shown as the bound that it was given as, and refused as one.
    const bound = text.trim() === '' ? null : (instantOfLocal(text, zone) ?? text);
    return [
      [local, null],
      [name, bound],
    ] as const;
  });
  redirect(303, changedQuery(url, Object.fromEntries(changes)));
}

/** Sums that are as good as there come with the rows, which spares the page a change. */
const GRACE_MS = 20;
const soon = <Value>(reading: Promise<Value>) =>
  Promise.race([reading, new Promise<undefined>((resolve) => setTimeout(resolve, GRACE_MS))]);

export const load: PageServerLoad = async ({ locals, url, cookies }) => {
  const zone = zoneOf(cookies.get(ZONE_COOKIE));
  readLocalBounds(url, zone);
  const bounds = exactBounds(url.searchParams);
  if (bounds) redirect(303, changedQuery(url, bounds));
  const columns = columnsOf(cookies.get(LEDGER_COLUMNS_COOKIE));
  const { query, refused } = readLedgerQuery(url.searchParams);
  const { problems } = parseLedgerFilter(query.q ?? '');
  const shown = { chips: chipsOf(query), refused, problems, columns, queryApiUrl: QUERY_API_URL };
  if (refused.length > 0 || problems.length > 0) return { ...shown, ledger: null, totals: null, histogram: null };
  // Counted beside the rows and never waited for: sums that are not there with them follow.
  const isFirst = query.cursor === undefined;
  const counting = isFirst ? locals.api.ledgerTotals(query).catch(() => null) : Promise.resolve(null);
  const drawing = isFirst ? locals.api.ledgerHistogram(query).then(drawnOf, () => null) : Promise.resolve(null);
  const { items, next_cursor } = await locals.api.ledger({ ...query, totals: false });
  const [totals, histogram] = await Promise.all([soon(counting), soon(drawing)]);
  return {
    ...shown,
    ledger: { items: items.map((row) => shownOf(row, placeOf(row), columns)), next_cursor },
    /** Up to when rows are shown: those stored later are what there is to follow. */
    readAt: items.reduce((newest, { stored_at }) => (stored_at > newest ? stored_at : newest), ''),
    totals: totals === undefined ? counting : totals,
    histogram: histogram === undefined ? drawing : histogram,
  };
};
