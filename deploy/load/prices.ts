/** US dollars per million tokens. Invented traffic needs plausible prices, not today's: the shapes follow published lists. */
interface Price {
  provider: string;
  input: number;
  cacheRead: number;
  cacheWrite: number;
  output: number;
}

const PRICES = {
  'claude-sonnet-4-6': { provider: 'anthropic', input: 3, cacheRead: 0.3, cacheWrite: 3.75, output: 15 },
  'claude-opus-4-6': { provider: 'anthropic', input: 5, cacheRead: 0.5, cacheWrite: 6.25, output: 25 },
  'claude-haiku-4-5': { provider: 'anthropic', input: 1, cacheRead: 0.1, cacheWrite: 1.25, output: 5 },
  'gpt-5.1-codex': { provider: 'openai', input: 1.25, cacheRead: 0.125, cacheWrite: 0, output: 10 },
  'gpt-5-mini': { provider: 'openai', input: 0.25, cacheRead: 0.025, cacheWrite: 0, output: 2 },
  'gemini-2.5-pro': { provider: 'google', input: 1.25, cacheRead: 0.125, cacheWrite: 0, output: 10 },
  'gemini-2.5-flash': { provider: 'google', input: 0.3, cacheRead: 0.03, cacheWrite: 0, output: 2.5 },
} as const satisfies Record<string, Price>;

export type Model = keyof typeof PRICES;

/** Every model that has a price. */
export const PRICED_MODELS = Object.keys(PRICES) as Model[];

/** The price list of a model, US dollars per million tokens. */
export function priceOf(model: Model): Readonly<Price> {
  return PRICES[model];
}

export interface Tokens {
  input_uncached: number;
  cache_read: number;
  cache_write: number;
  output: number;
}

export function providerOf(model: Model): string {
  return PRICES[model].provider;
}

/** Cost in billionths of a dollar: a dollar per million tokens is 1,000 of them per token, so the sum is exact. */
export function costNanoUsd(model: Model, tokens: Tokens): number {
  const price: Price = PRICES[model];
  return Math.round(
    1000 *
      (tokens.input_uncached * price.input +
        tokens.cache_read * price.cacheRead +
        tokens.cache_write * price.cacheWrite +
        tokens.output * price.output),
  );
}

/** Billionths of a dollar as the decimal text of the wire. */
export function dollarsText(nanoUsd: number): string {
  const whole = Math.floor(nanoUsd / 1e9);
  const rest = String(nanoUsd % 1e9)
    .padStart(9, '0')
    .replace(/0+$/, '');
  return rest === '' ? String(whole) : `${whole}.${rest}`;
}
