import { expect, test } from 'vitest';
import {
  PROXY_REFUSALS,
  type CredentialRecord,
  credentialRecordKey,
  fingerprintOf,
  hintOf,
} from '../../contract/index.ts';
import { collectorRecord } from '../testing/test-server.ts';
import { type Allowlist, createAllowlist } from './allowlist.ts';

const SECRET = `sk-ant-api03-${'a1B2'.repeat(23)}xAA`;
const NOW = Date.parse('2026-11-01T12:00:00Z');
const ALL = () => ({ refused: new Set(PROXY_REFUSALS), noted: new Set<never>() });
const NONE = () => ({ refused: new Set<never>(), noted: new Set<never>() });

function holding(...changes: Partial<CredentialRecord>[]): Allowlist {
  const allowlist = createAllowlist();
  for (const change of changes) {
    const record = collectorRecord(SECRET, { kind: 'registered', ...change });
    allowlist.apply(credentialRecordKey(record), record);
  }
  return allowlist;
}

const request = (secret = SECRET) => ({
  key: { kind: 'api_key' as const, fingerprint: fingerprintOf(secret), hint: hintOf(secret) },
  address: '10.0.0.1',
  environment: 'production',
  now: NOW,
});

test.each([
  ['a registered key', {}, null],
  ['a revoked key', { revoked_at: '2026-11-01T12:00:00Z' }, 'revoked'],
  ['a key a moment before it is revoked', { revoked_at: '2026-11-01T12:00:00.001Z' }, null],
  ['an expired key', { expires_at: '2026-11-01T12:00:00Z' }, 'expired'],
  ['a key of another network', { allowed_cidrs: ['10.1.0.0/16'] }, 'network'],
  ['a key of this network', { allowed_cidrs: ['10.0.0.0/16'] }, null],
  ['a key of another environment', { environment: 'development' as const }, 'environment'],
  ['a key of this environment', { environment: 'production' as const }, null],
])('%s', (_, change, policy) => {
  const allowlist = holding(change);
  expect(allowlist.judge(request(), ALL)?.policy ?? null).toBe(policy);
  // Only what was asked for is refused.
  expect(allowlist.judge(request(), NONE)).toBeNull();
});

test('a key that nobody registered is unknown, unless one is registered by its hint alone', () => {
  expect(holding().judge(request(), ALL)?.policy).toBe('unknown');
  expect(holding({ fingerprint: '' }).judge(request(), ALL)).toBeNull();
});

test('the newest version of a record counts, and a removed one not at all', () => {
  const revoked = { revoked_at: '2026-10-01T00:00:00Z', version: 2 };
  expect(holding({ version: 1 }, revoked).judge(request(), ALL)?.policy).toBe('revoked');
  expect(holding(revoked, { version: 1 }).judge(request(), ALL)?.policy).toBe('revoked');
  const allowlist = holding({ fingerprint: '' });
  const key = credentialRecordKey(collectorRecord(SECRET, { fingerprint: '' }));
  allowlist.apply(key, null);
  expect(allowlist.judge(request(), ALL)?.policy).toBe('unknown');
});

test('whoever signed in breaks no policy on keys', () => {
  expect(holding().judge({ ...request(), key: { kind: 'oauth' } }, ALL)).toBeNull();
});

test('a key is judged by what holds in its project, and what is only watched is noted, not refused', () => {
  const rulesOf = (project: string) => ({
    refused: new Set(project === 'billing' ? (['expired'] as const) : []),
    noted: new Set(['revoked', 'unknown'] as const),
  });
  const change = { revoked_at: '2026-10-01T00:00:00Z', expires_at: '2026-10-01T00:00:00Z' };
  expect(holding({ ...change, project: 'billing' }).judge(request(), rulesOf)).toMatchObject({
    policy: 'expired',
    isRefused: true,
  });
  expect(holding({ ...change, project: 'lab' }).judge(request(), rulesOf)).toMatchObject({
    policy: 'revoked',
    isRefused: false,
  });
  expect(holding().judge(request(), rulesOf)).toMatchObject({ policy: 'unknown', isRefused: false });
});
