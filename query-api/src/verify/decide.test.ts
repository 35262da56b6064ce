import { expect, test } from 'vitest';
import { credentialCreateSchema } from '../../contract/index.ts';
import type { VerifyCode } from '../../contract/index.ts';
import { draftCredential } from '../registry/draft.ts';
import type { CredentialRow } from '../registry/record.ts';
import { decide } from './decide.ts';
import type { Asked } from './decide.ts';
import { createRates } from './rate.ts';

const NOW = Date.UTC(2026, 10, 21);
const HOUR_MS = 3_600_000;
const KEY = draftCredential(
  credentialCreateSchema.parse({
    ...{ kind: 'managed', name: 'pipeline', environment: 'production', expires_at: '2027-01-01T00:00:00Z' },
    ...{ scopes: [{ action: 'write', resource: 'runs/*' }], allowed_cidrs: ['10.0.0.0/8'] },
  }),
  'test',
  NOW,
).row;
const ASKED: Asked = { action: 'write', resource: 'runs/r_1', ip: '10.1.2.3', environment: 'production' };
const revokedAt = (atMs: number, graceEndsMs: number | null): Partial<CredentialRow> => ({
  revoked_at: new Date(atMs),
  grace_ends_at: graceEndsMs === null ? null : new Date(graceEndsMs),
});

test.each<[string, Partial<CredentialRow>, Partial<Asked>, VerifyCode]>([
  ['all is right', {}, {}, 'VALID'],
  ['the address is IPv4 in IPv6 clothes', {}, { ip: '::ffff:a01:203' }, 'VALID'],
  ['the environment is not said', {}, { environment: undefined }, 'VALID'],
  ['another environment', {}, { environment: 'sandbox' }, 'FORBIDDEN_ENVIRONMENT'],
  ['another address', {}, { ip: '11.0.0.1' }, 'FORBIDDEN_IP'],
  ['an IPv6 address, no IPv6 network', {}, { ip: '2001:db8::1' }, 'FORBIDDEN_IP'],
  ['no address said, key bound to networks', {}, { ip: undefined }, 'FORBIDDEN_IP'],
  ['no address said, key bound to none', { allowed_cidrs: [] }, { ip: undefined }, 'VALID'],
  ['another action', {}, { action: 'read' }, 'FORBIDDEN_SCOPE'],
  ['another resource', {}, { resource: 'runs' }, 'FORBIDDEN_SCOPE'],
  ['expired, to the millisecond', { expires_at: new Date(NOW) }, {}, 'EXPIRED'],
  [
    'revoked and expired: revocation is for ever',
    { ...revokedAt(NOW, null), expires_at: new Date(NOW) },
    {},
    'REVOKED',
  ],
  ['rotated out, in grace', revokedAt(NOW - HOUR_MS, NOW + 1), {}, 'VALID'],
  ['rotated out, grace over', revokedAt(NOW - HOUR_MS, NOW), {}, 'REVOKED'],
])('%s', (_case, key, asked, code) => {
  expect(decide({ ...KEY, ...key }, { ...ASKED, ...asked }, NOW)).toBe(code);
});

test('a limit lets through a minute’s uses at once, and after that as many as time brings', () => {
  const clock = { nowMs: NOW };
  const rates = createRates(() => clock.nowMs);
  const taken = (uses: number): number => Array.from({ length: uses }, () => rates.take('a', 6)).filter(Boolean).length;
  expect(taken(10)).toBe(6);
  clock.nowMs += 20_000;
  expect(taken(10)).toBe(2);
  expect(rates.take('another', 6)).toBe(true);
});
