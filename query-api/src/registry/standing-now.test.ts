import { describe, expect, test } from 'vitest';
import { draftCredential } from './draft.ts';
import type { CredentialRow } from './record.ts';
import { snapshotOf } from './view.ts';
import { credentialCreateSchema } from '../../contract/index.ts';
import { standingNow } from './standing-now.ts';

const NOW = Date.UTC(2026, 10, 21);
const FP = 'a'.repeat(64);
const OTHER = 'b'.repeat(64);
const HINT = 'sk-ant-...C001';

function credential(parts: Partial<CredentialRow>): CredentialRow {
  const input = credentialCreateSchema.parse({ name: 'key', fingerprint: FP });
  return { ...draftCredential(input, 'test', NOW).row, fingerprint: '', ...parts };
}

function standing(lane: Partial<{ fingerprint: string; hint: string; org: string }>, ...rows: CredentialRow[]): string {
  const result = standingNow({ fingerprint: '', hint: '', org: '', ...lane }, snapshotOf(1, rows), NOW);
  return `${result.standing}/${result.match}`;
}

describe('standing now', () => {
  test('a registered fingerprint is proof, whatever hint and org say', () => {
    expect(standing({ fingerprint: FP, hint: 'x...y', org: 'z' }, credential({ fingerprint: FP }))).toBe(
      'known/proven',
    );
  });

  test('another fingerprint with the same hint is another key', () => {
    const row = credential({ fingerprint: OTHER, hint: HINT, org: 'acme' });
    expect(standing({ fingerprint: FP, hint: HINT, org: 'acme' }, row)).toBe('unknown/none');
  });

  test('hint and org single out one record: probable', () => {
    const byHint = credential({ hint: HINT, org: 'acme' });
    expect(standing({ hint: HINT, org: 'acme' }, byHint)).toBe('known/probable');
    expect(standing({ hint: 'sk-ant-***C001', org: 'acme' }, byHint)).toBe('known/probable');
    expect(standing({ fingerprint: FP, hint: HINT, org: 'acme' }, byHint)).toBe('known/probable');
  });

  test('a hint that fits several records, or whose org can’t be compared, is never known', () => {
    const one = credential({ hint: HINT, org: 'acme' });
    const two = credential({ hint: HINT, org: 'acme', fingerprint: OTHER });
    expect(standing({ hint: HINT, org: 'acme' }, one, two)).toBe('ambiguous/ambiguous');
    expect(standing({ hint: HINT }, one)).toBe('ambiguous/ambiguous');
    expect(standing({ hint: HINT, org: 'acme' }, credential({ hint: HINT, fingerprint: OTHER }))).toBe(
      'ambiguous/ambiguous',
    );
  });

  test('the same hint in another org is another key', () => {
    expect(standing({ hint: HINT, org: 'acme' }, credential({ hint: HINT, org: 'other' }))).toBe('unknown/none');
  });

  test('revocation and expiry count from their instant; revocation wins; grace postpones it', () => {
    const at = (ms: number): Date => new Date(NOW + ms);
    const of = (parts: Partial<CredentialRow>): string =>
      standing({ fingerprint: FP }, credential({ fingerprint: FP, ...parts }));
    expect(of({ revoked_at: at(0) })).toBe('revoked/proven');
    expect(of({ revoked_at: at(1) })).toBe('known/proven');
    expect(of({ expires_at: at(0) })).toBe('expired/proven');
    expect(of({ expires_at: at(1) })).toBe('known/proven');
    expect(of({ expires_at: at(0), revoked_at: at(0) })).toBe('revoked/proven');
    expect(of({ revoked_at: at(-1), grace_ends_at: at(1) })).toBe('known/proven');
    expect(of({ grace_ends_at: at(0) })).toBe('revoked/proven');
    expect(of({ revoked_at: at(-2), grace_ends_at: at(-1) })).toBe('revoked/proven');
  });

  test('events without a key are unattributed', () => {
    expect(standing({ org: 'acme' })).toBe('unattributed/none');
  });
});
