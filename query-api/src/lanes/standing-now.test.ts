import { describe, expect, test } from 'vitest';
import { draftCredential } from '../registry/draft.ts';
import type { CredentialRow } from '../registry/record.ts';
import { snapshotOf } from '../registry/view.ts';
import { credentialCreateSchema } from '../../contract/index.ts';
import type { Standing } from '../../contract/index.ts';
import { postureOf, riskRankOf } from './posture.ts';
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

describe('posture', () => {
  const lane = { hint: HINT, users: 1, live_sessions: 0, last_seen: '2026-11-21T00:00:00.000Z', retired_events: 0 };
  const reasons = (users: number, row: CredentialRow | null): string[] =>
    postureOf(
      { ...lane, users },
      { standing: row ? 'known' : 'unknown', match: 'none', credential: row },
      '7 days',
    ).map(({ reason }) => reason);

  test('each reason comes with the facts that caused it', () => {
    expect(reasons(1, null)).toEqual(['unknown_key']);
    expect(reasons(3, null)).toEqual(['unknown_key', 'shared']);
    const governed = credential({ owner: 'ada', environment: 'staging', expires_at: new Date(NOW + 1) });
    expect(reasons(1, governed)).toEqual([]);
    expect(reasons(1, { ...governed, owner: '' })).toEqual([]);
    expect(reasons(1, { ...governed, owner: '', expires_at: null })).toEqual(['weakly_governed']);
    const [weak] = postureOf(lane, { standing: 'known', match: 'proven', credential: credential({}) }, '7 days');
    expect(weak?.text).toBe('No owner, no expiry, no environment.');
    const team = credential({ ...governed, sharing: 'team', people_declared: 2 });
    const [shared] = postureOf({ ...lane, users: 3 }, { standing: 'known', match: 'proven', credential: team }, 'hour');
    expect(shared?.text).toBe('3 people used it in the last hour; it was declared for 2.');
    expect([reasons(2, team), reasons(3, team)]).toEqual([['shared'], ['shared_too_broadly']]);
    expect(reasons(2, { ...team, sharing: 'personal' })).toEqual(['shared_too_broadly']);
  });

  test.each([
    [[], true],
    [['0.0.0.0/0', '10.0.0.0/8'], true],
    [['1.2.3.4/0'], true],
    [['::/0'], true],
    [['10.0.0.0/8', '2001:db8::/32'], false],
  ])('a managed key for %j may be used from any network: %s', (allowed_cidrs, any) => {
    const [weak] = postureOf(
      lane,
      { standing: 'known', match: 'proven', credential: credential({ kind: 'managed', allowed_cidrs }) },
      '7 days',
    );
    expect(weak?.text.includes('any network')).toBe(any);
  });

  test('a revoked key is in use only where an event met it as revoked', () => {
    const row = credential({ owner: 'ada', environment: 'staging', revoked_at: new Date(NOW) });
    const revoked = { standing: 'revoked', match: 'proven', credential: row } as const;
    const [settled] = postureOf(lane, revoked, '7 days');
    expect(settled).toMatchObject({ reason: 'retired', text: expect.stringContaining('No event in the last 7 days') });
    const [inUse] = postureOf({ ...lane, retired_events: 1, live_sessions: 1 }, revoked, '7 days');
    expect(inUse).toMatchObject({ reason: 'revoked_in_use', text: expect.stringContaining('with 1 live session') });
  });

  test('risk puts live unknown lanes first and quiet known ones last', () => {
    const rank = (standing: Standing, live: boolean, retired_events = 1): number =>
      riskRankOf({ standing, posture: [], retired_events }, live);
    const order = [
      rank('unknown', true),
      rank('revoked', true),
      rank('ambiguous', true),
      rank('unknown', false),
      rank('revoked', false),
      rank('ambiguous', false),
      rank('unattributed', true),
      rank('revoked', true, 0),
      rank('known', true),
    ];
    expect([...order].sort((a, b) => b - a)).toEqual(order);
    expect(new Set(order).size).toBe(order.length);
  });
});
