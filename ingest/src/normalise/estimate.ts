import { calcPrice, type Provider } from '@pydantic/genai-prices';
import manifest from '../../package.json' with { type: 'json' };

/** The price list as a package with its version, such as `@pydantic/genai-prices 0.1.8`: prices are those of its release. */
export const PRICE_LIST = `@pydantic/genai-prices ${manifest.dependencies['@pydantic/genai-prices']}`;

export interface TokenCounts {
  input_uncached: number;
  cache_read: number;
  cache_write: number;
  output: number;
}

/** A canonical model: see `canonical/model.ts`. */
export interface PricedModel {
  /** '' lets the model's name decide. */
  provider: string;
  served_by: string;
  model: string;
}

/** How many models are remembered. Their names come from senders, so the number must be bounded. */
const REMEMBERED_MAX = 2_000;

/** A provider cut down to the one model, so that the next look-up does not search; null when nothing has a price for it. */
const remembered = new Map<string, Provider | null>();

/** Places that serve others' models, as the price list calls them. */
const ON_PRICE_LIST: Record<string, string> = { bedrock: 'aws', vertex: 'google', amazon: 'aws', xai: 'x-ai' };

/**
 * List price of a call in billionths of a dollar: that of the model's maker, wherever it was served; where that has none, the place's.
 * @param time epoch milliseconds; prices change over time
 * @returns null when no price is known
 */
export function estimateNanoDollars(
  { provider, served_by, model }: PricedModel,
  tokens: TokenCounts,
  time: number,
): number | null {
  const key = `${provider}\n${served_by}\n${model}`;
  const known = remembered.get(key);
  if (known === null) return null;
  const usage = {
    // The library wants input with the cache in it and throws when cache counts exceed it.
    input_tokens: tokens.input_uncached + tokens.cache_read + tokens.cache_write,
    cache_read_tokens: tokens.cache_read,
    cache_write_tokens: tokens.cache_write,
    output_tokens: tokens.output,
  };
  const timestamp = new Date(time);
  const priceBy = (name: string) => {
    const providerId = ON_PRICE_LIST[name] ?? name;
    return calcPrice(usage, model, providerId === '' ? { timestamp } : { timestamp, providerId });
  };
  try {
    const priced = known
      ? calcPrice(usage, model, { timestamp, provider: known })
      : (priceBy(provider) ?? (served_by === '' ? null : priceBy(served_by)));
    if (known === undefined) remember(key, priced === null ? null : { ...priced.provider, models: [priced.model] });
    if (priced === null) return null;
    const nano = Math.round(priced.total_price * 1e9);
    return Number.isSafeInteger(nano) && nano >= 0 ? nano : null;
  } catch {
    // A model whose price list lacks one of the counts, or a date outside it. Not remembered: the next call may differ.
    return null;
  }
}

function remember(key: string, provider: Provider | null): void {
  if (remembered.size >= REMEMBERED_MAX) remembered.clear();
  remembered.set(key, provider);
}

/** Whether the price list has two names as one model. False where it does not know them. */
export function isOneOnPriceList(model: string, other: string): boolean {
  const [one, two] = [model, other].map((name) => {
    const priced = calcPrice({ input_tokens: 1, output_tokens: 1 }, name);
    return priced === null ? null : `${priced.provider.id} ${priced.model.id}`;
  });
  return one !== null && one === two;
}
