import { EXPORTED, EXPORT_FORMATS, type Exported, type ExportFormat } from '@lanewatch/query-api/contract';
import { queryOf } from '#lib/query.ts';
import { exactBounds } from '../ledger/ledger-query.ts';

/** Parameters of the address that are no filter. */
const OTHERS = new Set(['what', 'format', 'cursor', 'limit', 'order', 'totals']);

export const whatOf = (value: unknown): Exported => EXPORTED.find((one) => one === value) ?? 'registry';
const formatOf = (value: unknown): ExportFormat => EXPORT_FORMATS.find((one) => one === value) ?? 'csv';

/** The filters that an address names, as a query string. */
export function filtersIn(params: URLSearchParams): URLSearchParams {
  return new URLSearchParams([...params].filter(([name, value]) => !OTHERS.has(name) && value !== ''));
}

/** The body of `POST /v1/exports` that a form asks for; query-api judges its filters. */
export function requestOf(form: FormData): { what: Exported; format: ExportFormat; filters: object } {
  const filters = new URLSearchParams(String(form.get('filters') ?? ''));
  for (const name of ['from', 'to']) {
    const given = String(form.get(name) ?? '').trim();
    if (given !== '') filters.set(name, given);
  }
  for (const [name, instant] of Object.entries(exactBounds(filters) ?? {})) filters.set(name, instant);
  const what = whatOf(form.get('what'));
  return { what, format: formatOf(form.get('format')), filters: what === 'registry' ? {} : queryOf(filters) };
}
