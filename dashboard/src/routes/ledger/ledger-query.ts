import { ledgerQuerySchema, type LedgerQuery } from '@lanewatch/query-api/contract';
import { parseQuery, queryOf } from '#lib/query.ts';

/** What the ledger's column holds. */
const STATUS_CODE_MAX = 65_535;

/** A parameter of the address that no rows can be chosen by, and why. */
export interface RefusedFilter {
  name: string;
  reason: string;
}

/**
 * What the ledger was asked for. Other pages fall back to a default where a parameter can't be used; here that would show every
 * row, with sums over all of them, to somebody who asked for a few. So it is named, and whoever shows the page shows no rows.
 */
export function readLedgerQuery(params: URLSearchParams): { query: LedgerQuery; refused: RefusedFilter[] } {
  const result = ledgerQuerySchema.strict().safeParse(queryOf(params));
  if (result.success) {
    // A number to query-api, and a text to the schema, as every filter is.
    const isCode = (code: string) => /^\d{1,5}$/.test(code) && Number(code) <= STATUS_CODE_MAX;
    if (result.data.status_code?.every(isCode) ?? true) return { query: result.data, refused: [] };
    return { query: result.data, refused: [{ name: 'status_code', reason: 'is a whole number such as 429' }] };
  }
  const refused = result.error.issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((name) => ({ name, reason: 'is no filter of the ledger' }));
    }
    const name = String(issue.path[0]);
    return [{ name, reason: reasonFor(name, params.getAll(name).length, issue.message) }];
  });
  return { query: parseQuery(ledgerQuerySchema, params), refused };
}

function reasonFor(name: string, times: number, message: string): string {
  if (name === 'from' || name === 'to') return 'is no time; write 2026-11-21 (midnight UTC) or 2026-11-21T04:30:00Z';
  return times > 1 ? 'is given more than once, or too often' : message;
}

/** Bounds as the ledger takes them: a day alone begins at midnight UTC. Undefined where there is nothing to change. */
export function exactBounds(params: URLSearchParams): Record<string, string> | undefined {
  const days = ['from', 'to'].flatMap((name) => {
    const text = params.get(name)?.trim() ?? '';
    return /^\d{4}-\d{2}-\d{2}$/.test(text) ? [[name, `${text}T00:00:00Z`] as const] : [];
  });
  return days.length === 0 ? undefined : Object.fromEntries(days);
}
