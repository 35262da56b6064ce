import { expect, test } from 'vitest';
import { rateLimitsIn } from './rate-limits.ts';

const AT = Date.parse('2026-11-20T12:00:00Z');

test('limits are read as Anthropic tells them', () => {
  const headers = {
    'anthropic-ratelimit-requests-limit': '50',
    'anthropic-ratelimit-requests-remaining': '49',
    'anthropic-ratelimit-requests-reset': '2026-11-20T12:00:01Z',
    'anthropic-ratelimit-input-tokens-remaining': '30000',
  };
  expect(rateLimitsIn(headers, AT)).toEqual({
    requests: { limit: 50, remaining: 49, reset_at: '2026-11-20T12:00:01.000Z' },
    input_tokens: { limit: undefined, remaining: 30_000, reset_at: undefined },
  });
});

test.each([
  ['6m0s', '2026-11-20T12:06:00.000Z'],
  ['120ms', '2026-11-20T12:00:00.120Z'],
  ['1h2m59.56s', '2026-11-20T13:02:59.560Z'],
])('limits are read as OpenAI tells them, full again in %s', (reset, reset_at) => {
  const headers = {
    'x-ratelimit-limit-tokens': '150000',
    'x-ratelimit-remaining-tokens': '149984',
    'x-ratelimit-reset-tokens': reset,
  };
  expect(rateLimitsIn(headers, AT)).toEqual({ tokens: { limit: 150_000, remaining: 149_984, reset_at } });
});

test.each([
  [{}],
  [{ 'x-ratelimit-limit-requests': 'many', 'x-ratelimit-remaining-requests': '-1' }],
  [{ 'x-ratelimit-limit-requests': '9'.repeat(40), 'x-ratelimit-reset-requests': '1s' }],
])('of what tells no limit nothing is made: %o', (headers) => {
  expect(rateLimitsIn(headers, AT)).toBeUndefined();
});

test('a time that nobody can mean is left out, and the rest stays', () => {
  for (const reset of ['9999999999h', '2999-01-01T00:00:00Z', '2026-99-01T00:00:00Z', 'soon'])
    expect(rateLimitsIn({ 'x-ratelimit-limit-requests': '5', 'x-ratelimit-reset-requests': reset }, AT)).toEqual({
      requests: { limit: 5, remaining: undefined, reset_at: undefined },
    });
});
