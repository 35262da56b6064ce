import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CredentialRow } from '../registry/record.ts';
import type { Facts } from './facts.ts';
import type { NewNotice } from './notices.ts';
import { changeOf, DAY_MS, networkOf, whyBroken, withoutPrivilege } from './rules.ts';
import type { PolicySet } from './settings.ts';
import { noticesFor, notOvertaken } from './warn.ts';

const END_MS = Date.UTC(2026, 5, 1);
const ROW = {
  ...{
    id: 'cred_1',
    name: 'Nightly',
    kind: 'managed',
    project: '',
    record_key: 'f'.repeat(64),
    scopes: [],
    allowed_cidrs: [],
  },
  ...{ created_at: new Date(0), secret_created_at: new Date(0), revoked_at: null, grace_ends_at: null },
  expires_at: new Date(END_MS),
} as unknown as CredentialRow;
const KEY_FACTS = { lastUse: 0, worstOpen: null, ownerHasMfa: false, refusals: 0, isPersonalToken: false } as const;
const facts: Facts = { of: () => KEY_FACTS, answersFor: () => '', isPerson: () => false };
const set: PolicySet = {
  row: () => null,
  overrides: () => [],
  of: (id) => ({ mode: id === 'expiry_alerts' ? 'watch' : 'off', settings: { days: [30, 14, 7, 1] } }),
};

test('whenever anybody looks, in whatever order, a distance is told of once, and none that a nearer one has overtaken', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -60, max: 0 }), { minLength: 1, maxLength: 40 }), (daysBefore) => {
      const made: NewNotice[] = [];
      for (const days of daysBefore) {
        made.push(...notOvertaken(noticesFor(ROW, { set, facts, nowMs: END_MS + days * DAY_MS - 1 }), made));
      }
      const distances = made.map(({ threshold }) => Number.parseFloat(threshold));
      expect(distances).toEqual([...new Set(distances)].toSorted((one, other) => other - one));
      const nearest = Math.min(...daysBefore.map((days) => -days));
      // A millisecond before a full day: the day itself is still ahead.
      const due = [1, 7, 14, 30].find((distance) => nearest < distance);
      expect(distances.at(-1)).toBe(due);
    }),
  );
});

test.each([
  ['10.1.2.3', '10.1.2.0/24'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['host.example', null],
  ['::ffff:10.0.0.1', null],
])('the network of %s is %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});

test('taking away what triggers and administers leaves reading and writing, each once', () => {
  expect(
    withoutPrivilege([
      { action: 'execute', resource: 'runs' },
      { action: '*', resource: 'agents' },
      { action: 'read', resource: 'agents' },
    ]),
  ).toEqual([
    { action: 'read', resource: 'agents' },
    { action: 'write', resource: 'agents' },
  ]);
});

test('an end that a maximum lifetime set is never put off by the next application', () => {
  const settings = { max_days: 30, notice_days: 14 };
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 20 }), (daysAfter) => {
      let row: CredentialRow = { ...ROW, expires_at: null };
      for (const days of daysAfter) {
        const before = row.expires_at?.getTime() ?? Infinity;
        if (whyBroken('maximum_lifetime', settings, row, KEY_FACTS, days * DAY_MS) === null) continue;
        const change = changeOf('maximum_lifetime', settings, row, [], days * DAY_MS);
        if (change.kind === 'edit') row = { ...row, ...change.fields };
        expect(row.expires_at!.getTime()).toBeLessThanOrEqual(before);
      }
    }),
  );
});
