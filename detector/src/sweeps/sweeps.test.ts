import { credentialRecordSchema, fingerprintOf, type CredentialRecord } from '@lanewatch/ingest/contract';
import { describe, expect, test } from 'vitest';
import { idle } from './r18-idle.ts';
import { rotationOverdue } from './r20-rotation-overdue.ts';
import { expiring } from './r21-expiring.ts';
import { weakGovernance } from './r22-weak-governance.ts';
import { guardRemoved, guardsOf } from './r23-guard-removed.ts';
import { budget } from './r26-budget.ts';
import { collectorSilent, missedBetween } from './r27-collector-silent.ts';
import { coverageGap } from './r28-coverage-gap.ts';
import { DAY_MS, type KeyState } from './sweep.ts';

const HOUR = 3_600_000;
const MINUTE = 60_000;
const NOW = Date.parse('2026-11-18T12:00:00Z');
const iso = (ms: number) => new Date(ms).toISOString();

function record(fields: Partial<CredentialRecord> = {}): CredentialRecord {
  return credentialRecordSchema.parse({
    ...{
      id: 'cred',
      fingerprint: fingerprintOf('key'),
      hint: 'sk-ant-api03-abc...C001',
      name: 'key',
      kind: 'registered',
    },
    ...{ status: 'active', created_at: iso(NOW - 10 * DAY_MS), version: 1 },
    ...fields,
  });
}

function key(fields: Partial<CredentialRecord> = {}, more: Partial<KeyState> = {}): KeyState {
  return { record: record(fields), lastUseMs: null, spentNanoUsd: 0, ...more };
}

describe('R18 idle', () => {
  const made = { created_at: iso(NOW - 400 * DAY_MS) };
  test('holds after 90 days without use and not a moment before', () => {
    const used = key(made, { lastUseMs: NOW - 90 * DAY_MS });
    expect(idle().decide(used, NOW)).toMatchObject([{ severity: 'low', facts: { idle_days: 90 }, sinceMs: NOW }]);
    expect(idle().decide(used, NOW - 1)).toEqual([]);
  });
  test('of a key that was never used counts from its making', () => {
    const unused = key({ created_at: iso(NOW - 90 * DAY_MS) });
    expect(idle().decide(unused, NOW)).toMatchObject([{ facts: { never_used: true } }]);
    expect(idle().decide(unused, NOW - 1)).toEqual([]);
  });
  test('is the same finding day after day, and another one after another use', () => {
    const dedupe = (lastUseMs: number, at: number) => idle().decide(key(made, { lastUseMs }), at)[0]?.dedupe;
    expect(dedupe(NOW - 95 * DAY_MS, NOW)).toEqual(dedupe(NOW - 95 * DAY_MS, NOW + DAY_MS));
    expect(dedupe(NOW - 95 * DAY_MS, NOW)).not.toEqual(dedupe(NOW - 94 * DAY_MS, NOW));
  });
});

test('R20 holds once at 90 days and once more, high, at 365, and not a moment before', () => {
  const aged = (days: number, earlier = 0) =>
    rotationOverdue().decide(key({ created_at: iso(NOW - days * DAY_MS) }), NOW - earlier);
  expect(aged(90, 1)).toEqual([]);
  expect(aged(90)).toMatchObject([{ severity: 'medium', facts: { age_days: 90 } }]);
  expect(aged(365, 1)).toMatchObject([{ severity: 'medium' }]);
  expect(aged(365)).toMatchObject([{ severity: 'high', facts: { age_days: 365 } }]);
});

describe('R21 expiring soon', () => {
  const ends = (inMs: number, madeDaysAgo = 300) =>
    expiring().decide(key({ expires_at: iso(NOW + inMs), created_at: iso(NOW - madeDaysAgo * DAY_MS) }), NOW);
  test.each([30, 14, 7, 1])('is told at %i days, and not a moment before', (days) => {
    expect(ends(days * DAY_MS)).toMatchObject([{ facts: { days_left: days }, severity: days <= 7 ? 'medium' : 'low' }]);
    expect(ends(days * DAY_MS + 1).filter(({ facts }) => facts['days_left'] === days)).toEqual([]);
  });
  test('tells nothing of a key without an end, one that is over, and thresholds from before it was made', () => {
    expect(expiring().decide(key(), NOW)).toEqual([]);
    expect(ends(0)).toEqual([]);
    expect(ends(10 * DAY_MS, 1)).toEqual([]);
  });
});

test('R22 holds from two missing limits on and is high from four', () => {
  const whole: Partial<CredentialRecord> = {
    ...{ owner: 'ana', expires_at: iso(NOW + DAY_MS), allowed_cidrs: ['10.0.0.0/8'] },
    ...{ environment: 'staging', budget: { amount_usd: '10', period: 'day' } },
  };
  const missing = (fields: Partial<CredentialRecord>) => weakGovernance().decide(key({ ...whole, ...fields }), NOW);
  expect(missing({ owner: '' })).toEqual([]);
  expect(missing({ owner: '', budget: null })).toMatchObject([
    { severity: 'low', facts: { missing: ['owner', 'budget'] } },
  ]);
  expect(missing({ owner: '', budget: null, environment: '' })).toMatchObject([{ severity: 'medium' }]);
  expect(missing({ owner: '', budget: null, environment: '', allowed_cidrs: ['::/0'] })).toMatchObject([
    { severity: 'high', facts: { missing: ['owner', 'networks', 'budget', 'environment'] } },
  ]);
});

describe('R23 guard removed', () => {
  const limited = record({ allowed_cidrs: ['10.0.0.0/8'], budget: { amount_usd: '10', period: 'day' } });
  const decided = (after: CredentialRecord, ms: number, before: CredentialRecord | null = limited) =>
    guardRemoved().decide(after, before === null ? null : guardsOf(before), NOW, NOW + ms);
  const admin = [{ action: 'admin', resource: '*' }] as const;

  test('tells at once of a privileged key that was made, and of scopes that were widened', () => {
    expect(decided(record({ scopes: [...admin] }), 0, null).decisions).toMatchObject([{ severity: 'medium' }]);
    expect(decided(record(), 0, null).decisions).toEqual([]);
    expect(decided({ ...limited, scopes: [...admin] }, 0).decisions).toMatchObject([{ severity: 'high' }]);
    const read = { ...limited, scopes: [{ action: 'read', resource: 'runs/*' } as const] };
    expect(decided(read, 0).decisions).toMatchObject([{ severity: 'medium' }]);
    expect(decided(limited, 0, read).decisions).toEqual([]);
  });
  test.each([
    ['its budget was taken off', { budget: null }],
    ['its networks were widened', { allowed_cidrs: [] }],
    ['its networks were widened', { allowed_cidrs: ['10.0.0.0/7'] }],
  ])('tells that %s after ten minutes and not a moment before', (change, fields) => {
    const changed = { ...limited, ...fields, changed_by: 'eve@acme.example' };
    expect(decided(changed, 10 * MINUTE - 1)).toEqual({ decisions: [], settled: false });
    const decisions = [{ facts: { change, actor: 'eve@acme.example' } }];
    expect(decided(changed, 10 * MINUTE)).toMatchObject({ decisions, settled: true });
  });
  test('takes networks within those allowed before for no widening', () => {
    expect(decided({ ...limited, allowed_cidrs: ['10.1.0.0/16', '10.2.3.4/32'] }, HOUR).decisions).toEqual([]);
  });
});

describe('R26 budget', () => {
  const limited = { budget: { amount_usd: '100', period: 'day' } } as const;
  const spent = (usd: number, atMs = NOW + 11 * HOUR) =>
    budget().decide(key(limited, { spentNanoUsd: usd * 1e9 }), atMs);
  test.each([
    [50, 'low'],
    [80, 'medium'],
    [95, 'high'],
    [100, 'high'],
  ])('is told at %i percent as %s and not a cent before', (percent, severity) => {
    expect(spent(percent)).toMatchObject([{ severity, facts: { percent } }]);
    expect(spent(percent - 0.01).filter(({ facts }) => facts['percent'] === percent)).toEqual([]);
  });
  test('is projected once a quarter of the period is over, and only where it will be exceeded', () => {
    const sixOClock = NOW - 6 * HOUR;
    expect(spent(26, sixOClock)).toMatchObject([{ severity: 'medium', facts: { projected: true } }]);
    expect(spent(25, sixOClock)).toEqual([]);
    expect(spent(26, sixOClock - 1)).toEqual([]);
  });
  test('is told anew in the next period', () => {
    expect(spent(50)[0]!.dedupe).not.toEqual(spent(50, NOW + 35 * HOUR)[0]!.dedupe);
  });
});

describe('R27 collector silent', () => {
  const silent = (quietMs: number, expectedSince: number) =>
    collectorSilent().decide({ collector: 'c', name: 'proxy', lastReceivedMs: NOW - quietMs, expectedSince }, NOW);
  test('holds after five minutes at least and ninety in which it usually sends, and one step short of either it does not', () => {
    expect(silent(5 * MINUTE, 90)).toMatchObject([{ severity: 'medium', facts: { collector: 'proxy' } }]);
    expect(silent(5 * MINUTE - 1, 90)).toEqual([]);
    expect(silent(5 * MINUTE, 89.9)).toEqual([]);
  });
  test('expects the least of the same hours of the two weeks before, and half of one that stands alone', () => {
    const weeksBefore = (one: number, two: number | null) => (hourMs: number) =>
      hourMs === NOW - 7 * DAY_MS ? one : hourMs === NOW - 14 * DAY_MS ? two : 0;
    expect(missedBetween(NOW, NOW + HOUR / 2, weeksBefore(100, 60))).toBe(30);
    expect(missedBetween(NOW, NOW + HOUR / 2, weeksBefore(100, null))).toBe(25);
  });
  test('expects no more than came in the hours before, against what is usual then', () => {
    const holiday = (seen: number) => (hourMs: number) =>
      hourMs <= NOW - 7 * DAY_MS + 2 * HOUR ? 40 : hourMs < NOW ? seen : 0;
    expect(missedBetween(NOW, NOW + 2 * HOUR, holiday(4))).toBe(8);
    expect(missedBetween(NOW, NOW + 2 * HOUR, holiday(90))).toBe(80);
  });
});

test('R28 holds where more than a tenth and five dollars of a day were not observed, and one cent short of it does not', () => {
  const gap = (billedUsd: number, observedUsd: number) =>
    coverageGap().decide({ dayMs: NOW - (NOW % DAY_MS), billedUsd, observedUsd });
  expect(gap(20, 14.99)).toMatchObject([{ severity: 'medium', facts: { day: '2026-11-18', billed_usd: '20.00' } }]);
  expect(gap(20, 15)).toEqual([]);
  expect(gap(100, 89.99)).toMatchObject([{ severity: 'medium' }]);
  expect(gap(100, 90)).toEqual([]);
});
