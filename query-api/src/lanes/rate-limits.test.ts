import { expect, test } from 'vitest';
import { rateLimitsOf } from './rate-limits.ts';

const AT = Date.parse('2026-11-20T12:00:00Z');

test('limits are told by kind, what was not told as null', () => {
  const told = {
    requests: { limit: 50, remaining: 0, reset_at: '2026-11-20T12:00:01Z' },
    tokens: { remaining: 7 },
  };
  expect(rateLimitsOf(JSON.stringify(told), AT)).toEqual({
    at: '2026-11-20T12:00:00.000Z',
    limits: [
      { kind: 'requests', limit: 50, remaining: 0, reset_at: '2026-11-20T12:00:01.000Z' },
      { kind: 'tokens', limit: null, remaining: 7, reset_at: null },
    ],
  });
});

test.each([
  '',
  'null',
  '7',
  '"text"',
  '[null]',
  '{"requests":null}',
  '{"requests":{"limit":"many","reset_at":"soon"}}',
])('of what another producer put there nothing is told: %s', (text) => {
  expect(rateLimitsOf(text, AT).limits).toEqual([]);
});
