import { fingerprintOf } from '@lanewatch/ingest/contract';
import { expect, test } from 'vitest';
import { sentenceOf } from '../../contract/index.ts';
import { DAY_MS } from './sweep.ts';
import { HOUR, iso, NOW, record, setup } from './testing/jobs.ts';

test('what was written once is not written again, by the same process or after a restart', async () => {
  const { sweeper, rules, writes } = setup([record('old')]);
  const first = sweeper();
  await first.keys(NOW);
  await first.keys(NOW + HOUR);
  await sweeper().keys(NOW + 2 * HOUR);
  expect(rules()).toEqual(['R20', 'R22']);
  expect(writes).toEqual([2]);
});

test('keys that are revoked, expired or rotated out are none to look after', async () => {
  const { sweeper, rules } = setup([
    record('revoked', { status: 'revoked', revoked_at: iso(NOW) }),
    record('expired', { expires_at: iso(NOW) }),
    record('rotated', { is_current: false, grace_ends_at: iso(NOW + DAY_MS) }),
  ]);
  await sweeper().keys(NOW);
  expect(rules()).toEqual([]);
});

test('a budget counts what all secrets of a credential spent in its own period', async () => {
  const limited = { budget: { amount_usd: '10', period: 'week' } } as const;
  const records = [record('new', limited), record('before', { ...limited, id: 'new', is_current: false })];
  const spends = new Map(records.map((one) => [one.fingerprint, [0, 5e9, 100e9] as [number, number, number]]));
  const { sweeper, written } = setup(records, { spends: async () => spends });
  await sweeper().keys(NOW);
  expect([...written.values()].filter(({ rule }) => rule === 'R26')).toMatchObject([
    { credential_id: 'new', severity: 'high', facts: { percent: 100, spent_usd: '10.00' } },
  ]);
});

test('a hundred thousand keys are gone through in batches', async () => {
  const one = record('one');
  const many = Array.from({ length: 100_000 }, (_unused, index) => ({
    ...one,
    fingerprint: index.toString(16).padStart(64, '0'),
  }));
  const { sweeper, written, writes } = setup(many, { lastUses: async () => new Map() });
  await sweeper().keys(NOW);
  expect(written.size).toBe(300_000);
  expect(Math.max(...writes)).toBeLessThanOrEqual(1_000);
});

test('a guard that was taken off while no detector ran is told after the restart, once', async () => {
  const records = [record('key', { budget: { amount_usd: '10', period: 'day' } })];
  const { sweeper, rules } = setup(records);
  await sweeper().guards(NOW);
  records[0] = { ...records[0]!, budget: null, version: 2 };
  const restarted = sweeper();
  await restarted.guards(NOW + HOUR);
  expect(rules()).toEqual([]);
  await restarted.guards(NOW + HOUR + 600_000);
  await sweeper().guards(NOW + 2 * HOUR);
  expect(rules()).toEqual(['R23']);
});

test('a collector that stops while it usually sends is told, and one that is quiet at this hour is not', async () => {
  const scopes = [{ action: 'write', resource: 'usage-events' }] as const;
  const records = ['busy', 'quiet'].map((name) => record(name, { kind: 'managed', scopes: [...scopes] }));
  const hour = (collector: string, hourMs: number, minutes: number, lastMs: number) => ({
    collector,
    hourMs,
    minutes,
    lastMs,
  });
  const { sweeper, written } = setup(records, {
    collectorHours: async () => [
      ...[7, 14].flatMap((days) => [
        hour('busy', NOW - days * DAY_MS, 60, NOW - 6 * DAY_MS),
        hour('busy', NOW - days * DAY_MS + HOUR, 60, NOW - 6 * DAY_MS),
        hour('quiet', NOW - days * DAY_MS, 30, NOW - 6 * DAY_MS),
      ]),
      hour('busy', NOW - HOUR, 9, NOW),
      hour('quiet', NOW - HOUR, 9, NOW),
    ],
  });
  const running = sweeper();
  await running.collectors(NOW + 1.5 * HOUR - 1);
  expect(written.size).toBe(0);
  await running.collectors(NOW + 1.5 * HOUR);
  expect([...written.values()]).toMatchObject([{ rule: 'R27', credential_id: 'busy', lane: fingerprintOf('busy') }]);
});

test('what is too many to be raised is one finding on the collector’s own key, which grows and is the same after a restart', async () => {
  const rows = { rows: 40 };
  const flood = { ...{ id: `R01-${'a'.repeat(24)}`, collector: 'laptops', severity: 'medium' as const }, lanes: 30 };
  const at = { firstMs: NOW - HOUR, lastMs: NOW, lastReceivedMs: NOW };
  const { sweeper, written, writes } = setup([record('laptops')], {
    floodsSince: async () => [flood.id],
    floods: async () => [{ ...flood, ...at, ...rows }],
  });
  const running = sweeper();
  await running.floods(NOW);
  await running.floods(NOW);
  rows.rows = 55;
  await running.floods(NOW);
  expect(writes).toEqual([1, 1]);
  const [found] = [...written.values()];
  expect(found).toMatchObject({
    rule: 'R01',
    lane: fingerprintOf('laptops'),
    credential_id: 'laptops',
    occurrences: 55,
  });
  expect(sentenceOf(found!)).toContain('55 more events of rule R01, of 30 keys, came through laptops');
  await sweeper().floods(NOW);
  expect([...written.values()]).toEqual([found]);
});

test('days that the provider bills otherwise than observed are told once they are over', async () => {
  const dayMs = NOW - (NOW % DAY_MS);
  const day = (ms: number) => ({ credentialId: 'key', dayMs: ms, billedUsd: 50, observedUsd: 10 });
  const { sweeper, written } = setup([record('key')], { coverage: async () => [day(dayMs), day(dayMs - DAY_MS)] });
  await sweeper().coverage(NOW);
  expect([...written.values()]).toMatchObject([{ rule: 'R28', facts: { day: iso(dayMs - DAY_MS).slice(0, 10) } }]);
});
