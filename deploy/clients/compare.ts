import type { Served } from './provider.ts';

/** A row of the ledger, cut down to what is compared. */
export interface LedgerRow {
  model: string;
  user: string;
  fingerprint: string;
  outcome: string;
  tokens_input_uncached: string | number;
  tokens_cache_read: string | number;
  tokens_cache_write: string | number;
  tokens_output: string | number;
  cost: string;
  cost_basis: string;
}

/** What is different between what was answered and what was stored, in sentences; nothing when each request is one right row. */
export function compare(served: readonly Served[], rows: readonly LedgerRow[], fingerprint: string): string[] {
  const faults: string[] = [];
  if (served.length === 0) faults.push('it asked nothing');
  if (rows.length !== served.length)
    faults.push(`${served.length} requests were answered and ${rows.length} rows stored`);
  for (const answered of served) {
    // No two answers have the same output.
    const row = rows.find(({ tokens_output: output }) => Number(output) === answered.output);
    if (row === undefined) {
      faults.push(`no row has the ${answered.output} tokens of output of a request of ${answered.model}`);
      continue;
    }
    const differ = (what: string, stored: unknown, expected: unknown) => {
      if (stored !== expected)
        faults.push(`${what} of a request of ${answered.model} is ${String(stored)}, not ${String(expected)}`);
    };
    differ('model', row.model, answered.model);
    differ('input', Number(row.tokens_input_uncached), answered.input_uncached);
    differ('what was read from the cache', Number(row.tokens_cache_read), answered.cache_read);
    differ('what was written to the cache', Number(row.tokens_cache_write), answered.cache_write);
    differ('person', row.user, 'ada@example.com');
    differ('fingerprint', row.fingerprint, fingerprint);
    differ('outcome', row.outcome, 'success');
    if (!(Number(row.cost) > 0)) faults.push(`a request of ${answered.model} has no cost (${row.cost_basis})`);
  }
  return faults;
}
