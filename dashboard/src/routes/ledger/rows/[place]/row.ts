import { error } from '@sveltejs/kit';
import type { LedgerItem } from '@lanewatch/query-api/contract';
import type { Api } from '#lib/api/client.ts';
import { rowQuery } from '../../row-address.ts';

/** The row that an address names; ends in a 404 where there is none. */
export async function readRow(api: Api, place: string, params: URLSearchParams): Promise<LedgerItem> {
  const query = rowQuery(place, params);
  const row = query === null ? undefined : (await api.ledger(query)).items[0];
  return row ?? error(404, 'The ledger has no row at this place.');
}
