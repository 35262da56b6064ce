import {
  credentialRecordKey,
  credentialRecordSchema,
  fingerprintOf,
  hintOf,
  type CredentialRecord,
} from '@lanewatch/ingest/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { classify } from './classify.ts';
import { createRegistryView, type RegistryView } from './registry-view.ts';

const SECRET = 'sk-ant-api03-R2Dabcdefghijklmnopqrstuvwxyz0123456789igAA';
const FINGERPRINT = fingerprintOf(SECRET);
const HINT = hintOf(SECRET);
const NOON = Date.parse('2026-11-20T12:00:00Z');
const at = (offsetMs: number) => new Date(NOON + offsetMs).toISOString();

let nextId = 0;
function credential(fields: Partial<CredentialRecord>): CredentialRecord {
  return credentialRecordSchema.parse({
    id: `cred_${nextId++}`,
    fingerprint: '',
    hint: HINT,
    name: 'key',
    kind: 'registered',
    status: 'active',
    created_at: at(-1000),
    version: 1,
    ...fields,
  });
}

function registryOf(...records: Partial<CredentialRecord>[]): RegistryView {
  const registry = createRegistryView();
  for (const record of records)
    expect(registry.apply(Buffer.from(JSON.stringify(credential(record))))).toEqual({ ok: true });
  return registry;
}

const event = (fields: Partial<{ fingerprint: string; hint: string; org: string }>) => ({
  fingerprint: '',
  hint: '',
  org: '',
  ...fields,
});

describe('a fingerprint', () => {
  test('on the registry is known and proven, whatever the hint says', () => {
    const registry = registryOf({ fingerprint: FINGERPRINT });
    expect(classify(event({ fingerprint: FINGERPRINT, hint: 'other...hint' }), NOON, registry)).toMatchObject({
      standing: 'known',
      match: 'proven',
    });
  });

  test('that is not on the registry is unknown even where a registered key has the same hint', () => {
    const registry = registryOf({ fingerprint: FINGERPRINT, org: 'acme' });
    const lookalike = event({ fingerprint: fingerprintOf('another'), hint: HINT, org: 'acme' });
    expect(classify(lookalike, NOON, registry)).toEqual({ standing: 'unknown', match: 'none', credential: null });
  });

  test('matches a key registered by hint and org as probable', () => {
    const registry = registryOf({ org: 'acme' });
    expect(classify(event({ fingerprint: FINGERPRINT, hint: HINT, org: 'acme' }), NOON, registry)).toMatchObject({
      standing: 'known',
      match: 'probable',
    });
  });
});

describe('a hint alone', () => {
  test('with its org and one candidate is probable', () => {
    const registry = registryOf({ fingerprint: FINGERPRINT, org: 'acme' });
    expect(classify(event({ hint: HINT, org: 'acme' }), NOON, registry)).toMatchObject({
      standing: 'known',
      match: 'probable',
    });
  });

  test('without an org to compare is ambiguous even with one candidate', () => {
    expect(classify(event({ hint: HINT }), NOON, registryOf({ org: 'acme' }))).toMatchObject({ standing: 'ambiguous' });
    expect(classify(event({ hint: HINT, org: 'acme' }), NOON, registryOf({}))).toMatchObject({ standing: 'ambiguous' });
  });

  test('of another org is unknown', () => {
    expect(classify(event({ hint: HINT, org: 'other' }), NOON, registryOf({ org: 'acme' }))).toMatchObject({
      standing: 'unknown',
    });
  });

  test('that fits several registered keys is never known', () => {
    const orgs = fc.constantFrom('', 'acme', 'other');
    const record = fc.record({
      org: orgs,
      fingerprint: fc.option(fc.uuid(), { nil: '' }).map((secret) => (secret === '' ? '' : fingerprintOf(secret))),
    });
    fc.assert(
      fc.property(fc.array(record, { minLength: 2, maxLength: 5 }), orgs, (records, org) => {
        const compatible = new Map<string, string>();
        for (const { org: own, fingerprint } of records) {
          // Records without a fingerprint share one key per hint and org on the topic, so they are one candidate.
          if (own === '' || org === '' || own === org) compatible.set(fingerprint || `hint ${own}`, own);
        }
        fc.pre(compatible.size > 1);
        expect(classify(event({ hint: HINT, org }), NOON, registryOf(...records))).toEqual({
          standing: 'ambiguous',
          match: 'ambiguous',
          credential: null,
        });
      }),
    );
  });

  test('spelled with another mask is the same hint', () => {
    const registry = registryOf({ org: 'acme', hint: HINT.replace('...', '****') });
    expect(classify(event({ hint: HINT, org: 'acme' }), NOON, registry)).toMatchObject({ standing: 'known' });
  });
});

describe('time', () => {
  test('revocation counts from its instant on and not before', () => {
    const registry = registryOf({ fingerprint: FINGERPRINT, status: 'revoked', revoked_at: at(0) });
    const standingAt = (ms: number) => classify(event({ fingerprint: FINGERPRINT }), ms, registry).standing;
    expect([standingAt(NOON - 1), standingAt(NOON), standingAt(NOON + 1)]).toEqual(['known', 'revoked', 'revoked']);
  });

  test('a rotated-out key stays known until its grace ends', () => {
    const registry = registryOf({ fingerprint: FINGERPRINT, revoked_at: at(0), grace_ends_at: at(5000) });
    const standingAt = (ms: number) => classify(event({ fingerprint: FINGERPRINT }), ms, registry).standing;
    expect([standingAt(NOON + 4999), standingAt(NOON + 5000)]).toEqual(['known', 'revoked']);
  });

  test('expiry counts from its instant on', () => {
    const registry = registryOf({ fingerprint: FINGERPRINT, expires_at: at(0) });
    const standingAt = (ms: number) => classify(event({ fingerprint: FINGERPRINT }), ms, registry).standing;
    expect([standingAt(NOON - 1), standingAt(NOON)]).toEqual(['known', 'expired']);
  });

  test('use before registration is known: registering says that the key belongs', () => {
    const registry = registryOf({ fingerprint: FINGERPRINT, created_at: at(10_000) });
    expect(classify(event({ fingerprint: FINGERPRINT }), NOON, registry).standing).toBe('known');
  });
});

test('an event that names no key is unattributed, never unknown', () => {
  expect(classify(event({ org: 'acme' }), NOON, registryOf({ org: 'acme' }))).toMatchObject({
    standing: 'unattributed',
    match: 'none',
  });
});

test('the registry view ends the same whatever order the versions of its records arrive in', () => {
  const versions = [1, 2, 3].map((version) =>
    credential({
      id: 'one',
      fingerprint: FINGERPRINT,
      version,
      name: `v${version}`,
      ...(version === 3 ? { revoked_at: at(0) } : {}),
    }),
  );
  fc.assert(
    fc.property(
      fc.shuffledSubarray(versions, { minLength: 3 }),
      fc.array(fc.nat(2), { maxLength: 4 }),
      (order, repeats) => {
        const registry = createRegistryView();
        for (const record of [...order, ...repeats.map((index) => order[index]!)])
          registry.apply(Buffer.from(JSON.stringify(record)));
        expect(registry.byFingerprint(FINGERPRINT)?.record.name).toBe('v3');
        expect(registry.byHint(HINT)).toHaveLength(1);
      },
    ),
  );
});

test('a record that is no credential record is refused with the field and the reason, and changes nothing', () => {
  const registry = registryOf({ fingerprint: FINGERPRINT });
  expect(registry.apply(Buffer.from('{"id":'))).toMatchObject({ ok: false });
  expect(registry.apply(Buffer.from(JSON.stringify({ ...credential({}), fingerprint: 'nope' })))).toMatchObject({
    ok: false,
    reason: expect.stringContaining('fingerprint') as string,
  });
  expect(registry.size).toBe(1);
});

test('a record that was taken off the topic is known no more, by fingerprint or hint', () => {
  const registry = createRegistryView();
  const [byFingerprint, byHint] = [credential({ fingerprint: FINGERPRINT }), credential({ org: 'acme' })];
  for (const record of [byFingerprint, byHint]) registry.apply(Buffer.from(JSON.stringify(record)));
  expect([registry.size, registry.byHint(HINT).length]).toEqual([2, 2]);
  for (const record of [byFingerprint, byHint])
    expect(registry.apply(Buffer.alloc(0), credentialRecordKey(record))).toEqual({ ok: true });
  expect([registry.size, registry.byHint(HINT).length]).toEqual([0, 0]);
  expect(registry.byFingerprint(FINGERPRINT)).toBeUndefined();
  expect(registry.apply(Buffer.alloc(0), 'nobody')).toEqual({ ok: true });
});
