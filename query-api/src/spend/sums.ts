import { dollarsOf, nanoOf } from '../ledger/money.ts';

/** Sums as the engine answers them: 64-bit numbers may be text, money is decimal text. */
export interface SumsJson {
  cost: string;
  calls: number | string;
  input_uncached: number | string;
  cache_read: number | string;
  cache_write: number | string;
  output: number | string;
}

export const SUM_NAMES = ['cost', 'calls', 'input_uncached', 'cache_read', 'cache_write', 'output'] as const;

/** The sums of rows, as the roll-up by day has them. */
export const SUMS_SQL = `sum(cost_usd) AS cost, sum(calls) AS calls, sum(tokens_input_uncached) AS input_uncached,
  sum(tokens_cache_read) AS cache_read, sum(tokens_cache_write) AS cache_write, sum(tokens_output) AS output`;

export interface Sums {
  nano: bigint;
  calls: number;
  tokens: { input_uncached: number; cache_read: number; cache_write: number; output: number };
}

export function sumsOf(row: SumsJson): Sums {
  return {
    nano: nanoOf(row.cost),
    calls: Number(row.calls),
    tokens: {
      input_uncached: Number(row.input_uncached),
      cache_read: Number(row.cache_read),
      cache_write: Number(row.cache_write),
      output: Number(row.output),
    },
  };
}

/** What is left of a total when parts are taken away. */
export function lessOf(total: Sums, parts: readonly Sums[]): Sums {
  const rest = { nano: total.nano, calls: total.calls, tokens: { ...total.tokens } };
  for (const part of parts) {
    rest.nano -= part.nano;
    rest.calls -= part.calls;
    for (const kind of Object.keys(rest.tokens) as (keyof Sums['tokens'])[]) rest.tokens[kind] -= part.tokens[kind];
  }
  return rest;
}

/** Cost by its basis, which is never one sum. */
export interface Basis {
  reported: bigint;
  estimated: bigint;
  unpricedCalls: number;
}

export const noBasis = (): Basis => ({ reported: 0n, estimated: 0n, unpricedCalls: 0 });

/** Adds cost of a basis; what has none is a call without a price, whatever it says to have cost. */
export function addBasis(to: Basis, basis: string, nano: bigint, calls: number): void {
  if (basis === 'reported') to.reported += nano;
  else if (basis === 'estimated') to.estimated += nano;
  else to.unpricedCalls += calls;
}

/** As answers have them. */
export function answerOf(sums: Sums, basis: Basis | null, previous: bigint | null) {
  return {
    cost_usd: dollarsOf(sums.nano),
    calls: sums.calls,
    tokens: sums.tokens,
    basis:
      basis === null
        ? null
        : {
            reported_usd: dollarsOf(basis.reported),
            estimated_usd: dollarsOf(basis.estimated),
            unpriced_calls: basis.unpricedCalls,
          },
    previous_usd: previous === null ? null : dollarsOf(previous),
  };
}
