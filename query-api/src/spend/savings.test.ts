import { expect, test } from 'vitest';
import { nanoOf } from '../ledger/money.ts';
import { savingsOf } from './savings.ts';
import type { ModelUse } from './savings.ts';

const NOW = Date.UTC(2026, 10, 1);
const use = (model: string, parts: Partial<ModelUse> = {}): ModelUse => ({
  ...{ model, provider: 'anthropic', served_by: '', calls: 1_000, nano: 0n },
  tokens: { input_uncached: 2_000_000, cache_read: 1_000_000, cache_write: 0, output: 100_000 },
  ...parts,
});

test('a switch saves the difference of list prices, and to itself nothing', () => {
  const { models, switch_to, price_list } = savingsOf(
    [use('claude-sonnet-4-5'), use('claude-haiku-4-5')],
    undefined,
    NOW,
  );
  expect(switch_to).toBe('claude-haiku-4-5');
  expect(price_list).toMatch(/^@pydantic\/genai-prices \d/);
  // Sonnet 4.5: $3 input, $0.30 cached, $15 output a million; Haiku 4.5: $1, $0.10, $5.
  expect(models[0]).toMatchObject({ list_usd: '7.8', switched_usd: '2.6', switch_saves_usd: '5.2' });
  expect(models[1]).toMatchObject({ list_usd: '2.6', switch_saves_usd: '0' });
});

test('a cache saves the lower price of its reads less the surcharge of its writes, and would save that of half of the rest', () => {
  const tokens = { input_uncached: 2_000_000, cache_read: 1_000_000, cache_write: 400_000, output: 0 };
  const [model] = savingsOf([use('claude-sonnet-4-5', { tokens })], undefined, NOW).models;
  // Writes cost $3.75 a million.
  expect(model).toMatchObject({ cache_saved_usd: '2.4', cacheable_usd: '2.7' });
});

test('many calls are priced as many, not as one with a prompt of dearer price', () => {
  const few = savingsOf([use('claude-sonnet-4-5', { calls: 1_000 })], undefined, NOW).models[0]!.list_usd!;
  const one = savingsOf([use('claude-sonnet-4-5', { calls: 1 })], undefined, NOW).models[0]!.list_usd!;
  expect(nanoOf(few)).toBeLessThan(nanoOf(one));
});

test('a model without a list price says so, and does not keep others from theirs', () => {
  const { models, switch_to } = savingsOf(
    [use('house-model', { provider: 'house' }), use('claude-haiku-4-5')],
    undefined,
    NOW,
  );
  expect(models[0]).toMatchObject({ list_usd: null, switch_saves_usd: null, cache_saved_usd: null });
  expect(switch_to).toBe('claude-haiku-4-5');
  expect(models[1]!.list_usd).toBe('2.6');
});
