import { estimateNanoDollars, PRICE_LIST } from '@lanewatch/ingest/contract';
import type { PricedModel, TokenCounts } from '@lanewatch/ingest/contract';
import type { SpendSavings } from '../../contract/index.ts';
import { dollarsOf } from '../ledger/money.ts';

/** Of input that was not cached, so much is taken to be repeated: the half. What a reader's own part is, only their prompts tell. */
const CACHEABLE_SHARE = 0.5;
/** Tokens of a call that prices of cache and input are compared by: below every tier for long prompts. */
const PROBE_TOKENS = 1_000;

/** What was used of a model. */
export interface ModelUse extends PricedModel {
  calls: number;
  nano: bigint;
  tokens: TokenCounts;
}

const NONE: TokenCounts = { input_uncached: 0, cache_read: 0, cache_write: 0, output: 0 };

/**
 * List price of a model's use: that of its mean call, as often as it was called, because lists have dearer tiers for long prompts, and
 * a sum of calls is none.
 */
function listPrice(use: ModelUse, by: PricedModel, nowMs: number): bigint | null {
  const mean = (count: number): number => Math.round(count / Math.max(1, use.calls));
  const { input_uncached, cache_read, cache_write, output } = use.tokens;
  const nano = estimateNanoDollars(
    by,
    {
      input_uncached: mean(input_uncached),
      cache_read: mean(cache_read),
      cache_write: mean(cache_write),
      output: mean(output),
    },
    nowMs,
  );
  return nano === null ? null : BigInt(nano) * BigInt(use.calls);
}

/** Price of a thousand tokens of a kind; null where the list has none. */
const probe = (by: PricedModel, kind: keyof TokenCounts, nowMs: number): number | null =>
  estimateNanoDollars(by, { ...NONE, [kind]: PROBE_TOKENS }, nowMs);

/** What caching saved, and what more of it would, in billionths of a dollar. */
function cacheFigures(use: ModelUse, nowMs: number): { saved: bigint | null; possible: bigint | null } {
  const input = probe(use, 'input_uncached', nowMs);
  const read = probe(use, 'cache_read', nowMs);
  if (input === null || read === null) return { saved: null, possible: null };
  const write = use.tokens.cache_write === 0 ? input : probe(use, 'cache_write', nowMs);
  const of = (tokens: number, difference: number): bigint => BigInt(Math.round((tokens / PROBE_TOKENS) * difference));
  const saved =
    write === null ? null : of(use.tokens.cache_read, input - read) - of(use.tokens.cache_write, write - input);
  return { saved, possible: of(use.tokens.input_uncached * CACHEABLE_SHARE, input - read) };
}

/** The model whose list prices are lowest for everything that was used, among those in use; '' where none has prices. */
function cheapestOf(uses: readonly ModelUse[], nowMs: number): ModelUse | undefined {
  const priced = uses.flatMap((by) => {
    const prices = uses.map((use) => listPrice(use, by, nowMs));
    const known = prices.filter((price) => price !== null);
    return known.length === uses.length ? [{ by, sum: known.reduce((total, price) => total + price, 0n) }] : [];
  });
  return priced.sort((a, b) => (a.sum < b.sum ? -1 : 1))[0]?.by;
}

/**
 * What models would cost elsewhere, and what caches save, all by list prices of today. Pure.
 * @param switchTo model to compare with; undefined for the cheapest in use
 */
export function savingsOf(
  uses: readonly ModelUse[],
  switchTo: string | undefined,
  nowMs: number,
): Omit<SpendSavings, 'from' | 'to' | 'is_complete'> {
  const target: PricedModel | undefined =
    switchTo === undefined
      ? cheapestOf(
          uses.filter((use) => listPrice(use, use, nowMs) !== null),
          nowMs,
        )
      : (uses.find(({ model }) => model === switchTo) ?? { provider: '', served_by: '', model: switchTo });
  const dollars = (nano: bigint | null): string | null => (nano === null ? null : dollarsOf(nano));
  return {
    price_list: PRICE_LIST,
    switch_to: target?.model ?? '',
    cacheable_share: CACHEABLE_SHARE,
    models: uses.map((use) => {
      const list = listPrice(use, use, nowMs);
      const switched = target === undefined ? null : listPrice(use, target, nowMs);
      const cache = cacheFigures(use, nowMs);
      return {
        ...{ model: use.model, provider: use.provider, calls: use.calls, cost_usd: dollarsOf(use.nano) },
        list_usd: dollars(list),
        switched_usd: dollars(switched),
        switch_saves_usd: list === null || switched === null ? null : dollarsOf(list - switched),
        cache_saved_usd: dollars(cache.saved),
        cacheable_usd: dollars(cache.possible),
      };
    }),
  };
}
