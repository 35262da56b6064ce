import { error } from '@sveltejs/kit';
import type { LedgerItem } from '@lanewatch/query-api/contract';
import type { Api } from '#lib/api/client.ts';
import { rowQuery } from '../../row-address.ts';

/** A row, and the other reports of its request where several are joined. */
export interface RowWithReports {
  row: LedgerItem;
  reports: LedgerItem[];
}

/** Reports of one request lie this far apart at most. */
const APART_MS = 15 * 60_000;
const REPORTS_MAX = 20;

/** The row that an address names; ends in a 404 where there is none. */
export async function readRow(api: Api, place: string, params: URLSearchParams): Promise<RowWithReports> {
  const query = rowQuery(place, params);
  const row = query === null ? undefined : (await api.ledger(query)).items[0];
  if (row === undefined) error(404, 'The ledger has no row at this place.');
  return { row, reports: await readReports(api, row) };
}

/** What else reports the request of a row. */
async function readReports(api: Api, row: LedgerItem): Promise<LedgerItem[]> {
  // Most rows come from programs whose requests nobody else can see.
  if (row.reporter === '') return [];
  const seenMs = Date.parse(row.seen_at);
  const around = {
    from: new Date(seenMs - APART_MS).toISOString(),
    to: new Date(seenMs + APART_MS).toISOString(),
    limit: REPORTS_MAX,
    totals: false,
  };
  const corrections = row.joins === '' ? (await api.ledger({ ...around, joins: row.id })).items : [row];
  const ids = new Set(
    corrections.flatMap(({ joins }) => (JSON.parse(joins) as [string, string][]).map(([, id]) => id)),
  );
  ids.delete(row.id);
  if (ids.size === 0) return [];
  const { items } = await api.ledger({ ...around, id: [...ids] });
  return items.filter(({ joins }) => joins === '');
}
