import { expect, test } from 'vitest';
import { expiredFromMs, revokedFromMs } from './credential-record.ts';

const EARLY = '2026-01-01T00:00:00Z';
const LATE = '2026-06-01T00:00:00Z';
const ms = (text: string) => Date.parse(text);

test.each([
  ['nothing said', {}, Infinity],
  ['revoked at no time that is known', { status: 'revoked' as const }, -Infinity],
  ['revoked', { revoked_at: EARLY }, ms(EARLY)],
  ['rotated out', { grace_ends_at: LATE }, ms(LATE)],
  ['rotated out, with a revocation before the end of its grace', { revoked_at: EARLY, grace_ends_at: LATE }, ms(LATE)],
  ['revoked after its grace', { revoked_at: LATE, grace_ends_at: EARLY }, ms(LATE)],
  ['revoked, in grace', { status: 'revoked' as const, grace_ends_at: LATE }, ms(LATE)],
])('revoked from: %s', (_, record, expected) => {
  expect(revokedFromMs({ revoked_at: null, grace_ends_at: null, ...record })).toBe(expected);
});

test('expired from: when it says, at once when it says that it is, else never', () => {
  expect(expiredFromMs({ expires_at: EARLY, status: 'expired' })).toBe(ms(EARLY));
  expect(expiredFromMs({ expires_at: new Date(EARLY) })).toBe(ms(EARLY));
  expect(expiredFromMs({ expires_at: null, status: 'expired' })).toBe(-Infinity);
  expect(expiredFromMs({ expires_at: null, status: 'active' })).toBe(Infinity);
});
