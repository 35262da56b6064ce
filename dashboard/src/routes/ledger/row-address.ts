import { queryString } from '#lib/query.ts';

/** What finds one row: its place on the bus, `3/4711/0`, and the lane and instant that the ledger is sorted by. */
interface RowAddress {
  place: string;
  lane: string;
  seen_at: string;
}

/** The page of one row. */
export const rowHref = ({ place, lane, seen_at }: RowAddress) =>
  `/ledger/rows/${place.replaceAll('/', '-')}${queryString({ lane, seen_at })}`;

/** The ledger query that has the row alone; null where the address names none. */
export function rowQuery(place: string, params: URLSearchParams) {
  const seenMs = Date.parse(params.get('seen_at') ?? '');
  const lane = params.get('lane') ?? '';
  if (!/^\d+-\d+-\d+$/.test(place) || Number.isNaN(seenMs) || lane === '') return null;
  const instant = (epochMs: number) => new Date(epochMs).toISOString();
  return {
    place: place.replaceAll('-', '/'),
    lane,
    from: instant(seenMs),
    to: instant(seenMs + 1),
    limit: 1,
    totals: false,
  };
}
