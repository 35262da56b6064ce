import type { LedgerItem } from '@lanewatch/query-api/contract';
import { LEDGER_FIELD_NAMES, textTermOf, type TextField } from '@lanewatch/query-api/contract/ledger-filter';
import { changedQuery } from '#lib/query.ts';

type Params = Pick<URLSearchParams, 'get'> & Iterable<[string, string]>;
type Address = { pathname: string; searchParams: Params };

/** The term that keeps to rows with a column's value, or leaves them out; null for a column that can't be filtered by. */
export function termFor(column: keyof LedgerItem, value: unknown, not = false): string | null {
  if (typeof value === 'string') {
    if (column === 'cost_usd') return `${not ? '-' : ''}cost_usd:${value}`;
    return LEDGER_FIELD_NAMES.includes(column) ? textTermOf(column as TextField, value, { not }) : null;
  }
  if (typeof value !== 'number' || !LEDGER_FIELD_NAMES.includes(column)) return null;
  return `${not ? '-' : ''}${column}:${value}`;
}

/** The address with a further term in its typed filter. */
export function withTerm(url: Address, term: string): string {
  const typed = (url.searchParams.get('q') ?? '').trim();
  const has = typed.split(/\s+/).includes(term);
  return `/ledger${changedQuery({ pathname: '', searchParams: url.searchParams }, { q: has ? typed : `${typed} ${term}`.trim() })}`;
}
