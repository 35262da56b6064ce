import type { CredentialRecord } from '@lanewatch/ingest/contract';
import { expect, test } from 'vitest';
import { RULE_CATALOGUE, type RuleId } from '../../contract/index.ts';
import type { SweepReader } from './reader.ts';
import { DAY_MS } from './sweep.ts';
import type { Sweeper } from './sweeper.ts';
import { HOUR, iso, NOW, record, setup } from './testing/jobs.ts';

/** What a job finds at an instant, and does not at another or of another key. */
interface Case {
  rule: RuleId;
  job: keyof Sweeper;
  records: Partial<CredentialRecord>[];
  /** One step short of it. */
  short: Partial<CredentialRecord>[];
  ledger?: (isShort: boolean) => Partial<SweepReader>;
  /** The registry as it was looked at before. */
  before?: Partial<CredentialRecord>[];
}

const young = { created_at: iso(NOW - DAY_MS) };
const daily = { budget: { amount_usd: '100', period: 'day' } } as const;
const today = NOW - (NOW % DAY_MS);
const spent = (usd: number) => async () =>
  new Map([[record('key').fingerprint, [usd * 1e9, 0, 0] as [number, number, number]]]);
const ships: Partial<CredentialRecord> = {
  kind: 'managed',
  scopes: [{ action: 'write', resource: 'usage-events' }],
};
const hour = (hourMs: number, minutes: number, lastMs: number) => ({ collector: 'key', hourMs, minutes, lastMs });

const CASES: Case[] = [
  {
    ...{ rule: 'R18', job: 'keys', records: [{}], short: [{}] },
    ledger: (isShort) => ({
      lastUses: async () => new Map([[record('key').fingerprint, NOW - 90 * DAY_MS + Number(isShort)]]),
    }),
  },
  {
    ...{ rule: 'R20', job: 'keys' },
    records: [{ created_at: iso(NOW - 90 * DAY_MS) }],
    short: [{ created_at: iso(NOW - 90 * DAY_MS + 1) }],
  },
  {
    ...{ rule: 'R21', job: 'keys' },
    records: [{ expires_at: iso(NOW + 30 * DAY_MS) }],
    short: [{ expires_at: iso(NOW + 30 * DAY_MS + 1) }],
  },
  {
    ...{ rule: 'R22', job: 'keys' },
    records: [{ ...young, owner: '', allowed_cidrs: ['10.0.0.0/8'], ...daily, environment: '' }],
    short: [{ ...young, owner: '', allowed_cidrs: ['10.0.0.0/8'], ...daily }],
  },
  {
    ...{ rule: 'R23', job: 'guards', before: [daily] },
    records: [{ scopes: [{ action: 'admin', resource: '*' }], ...daily, version: 2 }],
    short: [{ ...daily, version: 2 }],
  },
  {
    ...{ rule: 'R26', job: 'keys', records: [daily], short: [daily] },
    ledger: (isShort) => ({ spends: spent(isShort ? 49.99 : 50) }),
  },
  {
    ...{ rule: 'R27', job: 'collectors', records: [ships], short: [ships] },
    ledger: (isShort) => ({
      collectorHours: async () => [
        ...[7, 14].flatMap((days) => [
          hour(NOW - days * DAY_MS - 2 * HOUR, 60, 0),
          hour(NOW - days * DAY_MS - HOUR, isShort ? 29 : 30, 0),
        ]),
        hour(NOW - 2 * HOUR, 1, NOW - 2 * HOUR),
      ],
    }),
  },
  {
    ...{ rule: 'R28', job: 'coverage', records: [{}], short: [{}] },
    ledger: (isShort) => ({
      coverage: async () => [
        { credentialId: 'key', dayMs: today - DAY_MS, billedUsd: 20, observedUsd: isShort ? 15 : 14.99 },
      ],
    }),
  },
];

test('every rule that a job decides is held here against what it finds and what is one step short of that', () => {
  const decided = RULE_CATALOGUE.filter(({ decidedBy }) => decidedBy === 'job').map(({ id }) => id);
  expect(CASES.map(({ rule }) => rule)).toEqual(decided);
});

test.each(CASES)(
  '$rule is found, once, by the same process and after a restart, and not one step short of it',
  async (own) => {
    for (const isShort of [false, true]) {
      const made = (some: Partial<CredentialRecord>[]) => some.map((fields) => record('key', fields));
      const present = made(own.before ?? (isShort ? own.short : own.records));
      const { sweeper, written } = setup(present, own.ledger?.(isShort) ?? {});
      const found = () => [...written.values()].filter(({ rule }) => rule === own.rule).map(({ id }) => id);
      const first = sweeper();
      if (own.before !== undefined) {
        await first[own.job](NOW - HOUR);
        present.splice(0, 1, ...made(isShort ? own.short : own.records));
      }
      await first[own.job](NOW);
      const ids = found();
      expect(ids).toHaveLength(isShort ? 0 : 1);
      await first[own.job](NOW);
      await sweeper()[own.job](NOW);
      expect(found()).toEqual(ids);
    }
  },
);
