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

/** The same with where the cost comes from. */
export interface BasedJson extends SumsJson {
  reported_cost: string;
  estimated_cost: string;
  unpriced_calls: number | string;
}

export const SUM_NAMES = ['cost', 'calls', 'input_uncached', 'cache_read', 'cache_write', 'output'] as const;

/** The sums of rows, as the roll-ups by day have them. */
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

/** The same with where the cost comes from, each apart. */
export interface Spent extends Sums {
  reported: bigint;
  estimated: bigint;
  unpricedCalls: number;
}

export const spentOf = (row: BasedJson): Spent => ({
  ...sumsOf(row),
  reported: nanoOf(row.reported_cost),
  estimated: nanoOf(row.estimated_cost),
  unpricedCalls: Number(row.unpriced_calls),
});

export const nothingSpent = (): Spent => ({
  ...{ nano: 0n, calls: 0, tokens: { input_uncached: 0, cache_read: 0, cache_write: 0, output: 0 } },
  ...{ reported: 0n, estimated: 0n, unpricedCalls: 0 },
});

/** What is left of a total when parts are taken away. */
export function lessOf(total: Spent, parts: readonly Spent[]): Spent {
  const rest = { ...total, tokens: { ...total.tokens } };
  for (const part of parts) {
    for (const money of ['nano', 'reported', 'estimated'] as const) rest[money] -= part[money];
    for (const count of ['calls', 'unpricedCalls'] as const) rest[count] -= part[count];
    for (const kind of Object.keys(rest.tokens) as (keyof Sums['tokens'])[]) rest.tokens[kind] -= part.tokens[kind];
  }
  return rest;
}

/** As answers have them. */
export function answerOf(spent: Spent, previous: bigint | null) {
  return {
    cost_usd: dollarsOf(spent.nano),
    calls: spent.calls,
    tokens: spent.tokens,
    basis: {
      reported_usd: dollarsOf(spent.reported),
      estimated_usd: dollarsOf(spent.estimated),
      unpriced_calls: spent.unpricedCalls,
    },
    previous_usd: previous === null ? null : dollarsOf(previous),
  };
}
