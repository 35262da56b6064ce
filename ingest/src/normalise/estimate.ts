import { calcPrice, type Provider } from '@pydantic/genai-prices';

export interface TokenCounts {
  input_uncached: number;
  cache_read: number;
  cache_write: number;
  output: number;
}

/** How many (provider, model) pairs are remembered. Model names come from senders, so the number must be bounded. */
const REMEMBERED_MAX = 2_000;

/** A provider cut down to the one model, so that the next look-up does not search; null when nothing has a price for it. */
const remembered = new Map<string, Provider | null>();

/**
 * List price of a call in billionths of a dollar.
 * @param provider as reported; '' lets the model's name decide
 * @param time epoch milliseconds; prices change over time
 * @returns null when no price is known
 */
export function estimateNanoDollars(provider: string, model: string, tokens: TokenCounts, time: number): number | null {
  const pair = `${provider}\n${model}`;
  const known = remembered.get(pair);
  if (known === null) return null;
  try {
    const priced = calcPrice(
      {
        // The library wants input with the cache in it and throws when cache counts exceed it.
        input_tokens: tokens.input_uncached + tokens.cache_read + tokens.cache_write,
        cache_read_tokens: tokens.cache_read,
        cache_write_tokens: tokens.cache_write,
        output_tokens: tokens.output,
      },
      model,
      { timestamp: new Date(time), ...(known ? { provider: known } : provider === '' ? {} : { providerId: provider }) },
    );
    if (known === undefined) remember(pair, priced === null ? null : { ...priced.provider, models: [priced.model] });
    if (priced === null) return null;
    const nano = Math.round(priced.total_price * 1e9);
    return Number.isSafeInteger(nano) && nano >= 0 ? nano : null;
  } catch {
    // A model whose price list lacks one of the counts, or a date outside it. Not remembered: the next call may differ.
    return null;
  }
}

function remember(pair: string, provider: Provider | null): void {
  if (remembered.size >= REMEMBERED_MAX) remembered.clear();
  remembered.set(pair, provider);
}
