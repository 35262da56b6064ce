import type { CredentialRecord, UsageEvent } from '@lanewatch/ingest/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RULE_CATALOGUE, type RuleId, type Severity } from '../../contract/index.ts';
import { fingerprintOf } from '@lanewatch/ingest/contract';
import { NOON } from '../pipeline/testing/events.ts';
import type { RuleOverrides } from './parameters.ts';
import { credential, findingsOf, findingsOfLives, HINT, HOUR, iso } from './testing/run-rules.ts';

const DAY = 24 * HOUR;
const HOME = '81.1.0.7';
const usual = { user: 'ana@acme.example', host: 'laptop', ip: HOME, repo: 'acme/api', environment: 'staging' };
const at = (agoMs: number, fields: Partial<UsageEvent> = {}) => ({
  ...usual,
  ...fields,
  time: NOON - agoMs,
  received_at: NOON - agoMs + 1000,
});
/** A call an hour for some days up to yesterday. */
const days = (count: number, fields: Partial<UsageEvent> = {}) =>
  Array.from({ length: count * 4 }, (_, index) =>
    at((count - Math.floor(index / 4)) * DAY + (index % 4) * HOUR, fields),
  ).sort((left, right) => left.time - right.time);
const calls = (count: number, fields: Partial<UsageEvent> = {}) =>
  Array.from({ length: count }, (_, index) => at((count - index) * 1000, fields));
const thisHour = (count: number) => Array.from({ length: count }, (_, index) => at(-index * 1000));
const registered = credential({});
const dollars = (usd: number) => ({ cost_nano_usd: usd * 1e9 });
const inNewPlace = { ip: '82.1.0.7' };
const inThirdPlace = { ip: '83.1.0.1' };
/** The same as long before. */
const earlier = (ms: number, events: ReturnType<typeof at>[]) =>
  events.map((event) => ({ ...event, time: event.time - ms, received_at: event.received_at - ms }));

interface Case {
  rule: RuleId;
  name: string;
  events: Partial<UsageEvent>[];
  /** One step short of it. */
  short: Partial<UsageEvent>[];
  severity: Severity;
  facts?: Record<string, unknown>;
  credentials?: Partial<CredentialRecord>[];
  overrides?: RuleOverrides;
}

const rotated = (graceLeftMs: number) => [
  credential({
    is_current: false,
    revoked_at: iso(NOON - 10 * HOUR + graceLeftMs),
    grace_ends_at: iso(NOON + graceLeftMs),
  }),
];

const CASES: Case[] = [
  {
    rule: 'R01',
    name: 'a key that nobody registered',
    events: [at(0)],
    short: [at(0, { outcome: 'denied', status_code: 403 })],
    severity: 'high',
    credentials: [],
  },
  {
    rule: 'R02',
    name: 'a hint that two registered keys have',
    events: [at(0, { fingerprint: '', hint: HINT, org: '' })],
    short: [at(0, { fingerprint: '', hint: HINT, org: 'acme' })],
    severity: 'medium',
    credentials: ['acme', 'beta'].map((org) => credential({ id: org, fingerprint: '', org })),
  },
  {
    rule: 'R03',
    name: 'a key that was used at its revocation, and not a moment before',
    events: [at(0)],
    short: [at(1)],
    severity: 'critical',
    credentials: [credential({ status: 'revoked', revoked_at: iso(NOON) })],
  },
  {
    rule: 'R05',
    name: 'a second person within a day of the first',
    events: [at(DAY - 1), at(0, { user: 'ben@acme.example' })],
    short: [at(DAY), at(0, { user: 'ben@acme.example' })],
    severity: 'medium',
    facts: { people_count: 2 },
  },
  {
    rule: 'R06',
    name: 'a new country while the usual place is in use',
    events: [...days(2), at(20 * 60_000), at(0, inNewPlace)],
    short: [...days(2), at(30 * 60_000), at(0, inNewPlace)],
    severity: 'medium',
    facts: { countries: ['DE', 'US'] },
  },
  {
    rule: 'R06',
    name: 'a new country and another agent at once',
    events: [...days(2), at(60_000), at(0, { ...inNewPlace, agent: 'curl' })],
    short: [...days(2), at(60_000), at(0, { agent: 'curl' })],
    severity: 'high',
  },
  {
    rule: 'R07',
    name: 'a new network on a lane with a history',
    events: [...days(5), at(0, { ip: '81.2.0.1' })],
    short: [...days(5), at(0, { ip: '81.1.0.99', outcome: 'failed' })],
    severity: 'medium',
    facts: { new_network: 'AS812 Net', usual_network: ['AS811 Net'] },
  },
  {
    rule: 'R07',
    name: 'a new network and a new agent',
    events: [...days(5), at(0, { ip: '81.2.0.1', agent: 'curl' })],
    short: [...days(4), at(0, { ip: '81.2.0.1', agent: 'curl' })],
    severity: 'high',
    facts: { new_agent: 'curl', usual_agent: ['claude-code'] },
    overrides: { R07: { events: 18 } },
  },
  {
    rule: 'R07',
    name: 'a new network after two weeks of leave, and not the one from before it',
    events: [...earlier(14 * DAY, days(5)), at(0, { ip: '81.2.0.1' })],
    short: [...earlier(14 * DAY, days(5)), at(0)],
    severity: 'medium',
    facts: { new_network: 'AS812 Net', usual_network: ['AS811 Net'] },
  },
  {
    rule: 'R10',
    name: 'an hour of many times the usual spend',
    events: [...days(7, dollars(1)), at(0, dollars(25))],
    short: [...days(6, dollars(1)), at(0, dollars(25))],
    severity: 'high',
    facts: { hour_spend_usd: 25, baseline_days: 7 },
  },
  {
    rule: 'R10',
    name: 'critical only where the sum is',
    events: [...days(7, dollars(1)), at(0, dollars(100))],
    short: [...days(7, dollars(1)), at(0, dollars(4.99))],
    severity: 'critical',
  },
  {
    rule: 'R11',
    name: 'many calls from several networks',
    events: [...days(7), ...thisHour(29), at(-30_000, inNewPlace), at(-31_000, inThirdPlace)],
    short: [...days(7), ...thisHour(29), at(-30_000, inNewPlace), at(-31_000)],
    severity: 'high',
    facts: { hour_networks: 3 },
    overrides: { R11: { calls: 20 } },
  },
  {
    rule: 'R11',
    name: 'many calls from several networks that are new, not from all the known ones at once',
    events: [...days(7), ...thisHour(29), at(-30_000, inNewPlace), at(-31_000, inThirdPlace)],
    short: [
      ...days(7),
      at(9 * HOUR, inNewPlace),
      at(8 * HOUR, inThirdPlace),
      ...thisHour(29),
      at(-30_000, inNewPlace),
      at(-31_000, inThirdPlace),
    ],
    severity: 'high',
    overrides: { R11: { calls: 20 } },
  },
  {
    rule: 'R13',
    name: 'from one country into another in an hour',
    events: [...days(1), at(HOUR), at(0, inNewPlace)],
    short: [...days(1), at(12 * HOUR), at(0, inNewPlace)],
    severity: 'high',
  },
  {
    rule: 'R15',
    name: 'models listed and one called on the first day of an unknown key',
    events: [at(15 * 60_000, { model: '', operation: 'GET /v1/models' }), at(0)],
    short: [at(15 * 60_000 + 1, { model: '', operation: 'GET /v1/models' }), at(0)],
    severity: 'high',
    credentials: [],
  },
  {
    rule: 'R16',
    name: 'a fourth refusal within an hour',
    events: calls(4, { outcome: 'denied', status_code: 403 }),
    short: calls(3, { outcome: 'denied', status_code: 403 }),
    severity: 'medium',
    facts: { refused: 4 },
  },
  {
    rule: 'R16',
    name: 'a tenth failed authentication within minutes',
    events: calls(10, { outcome: 'denied', status_code: 401 }),
    short: calls(9, { outcome: 'denied', status_code: 401 }),
    severity: 'medium',
    facts: { failed_logins: 10 },
  },
  {
    rule: 'R17',
    name: 'a model called far more often than usual',
    events: [...days(1), ...calls(20)],
    short: [...days(1), ...calls(19)],
    severity: 'medium',
    facts: { model: 'm', hour_calls: 20, usual_calls: 1 },
    overrides: { R17: { calls: 20 } },
  },
  {
    rule: 'R19',
    name: 'use from elsewhere after a month without any',
    events: [at(30 * DAY), at(0, inNewPlace)],
    short: [at(30 * DAY - 1), at(0, inNewPlace)],
    severity: 'high',
    facts: { idle_days: 30, new_country: 'US' },
  },
  {
    rule: 'R04',
    name: 'a rotated secret when a quarter of its grace is left',
    events: [at(0)],
    short: [at(1)],
    severity: 'medium',
    credentials: rotated(2.5 * HOUR),
  },
  {
    rule: 'R08',
    name: 'an address outside of the allowed networks',
    events: [at(0)],
    short: [at(0, { ip: '10.1.0.1' })],
    severity: 'high',
    credentials: [credential({ allowed_cidrs: ['10.0.0.0/8'] })],
  },
  {
    rule: 'R09',
    name: 'a development key in production',
    events: [at(0, { environment: 'production' })],
    short: [at(0, { environment: 'development' })],
    severity: 'high',
    credentials: [credential({ environment: 'development' })],
  },
  {
    rule: 'R12',
    name: 'a private key after three days on another',
    events: [...days(3), at(0, { fingerprint: fingerprintOf('private') })],
    short: [...days(2), at(0, { fingerprint: fingerprintOf('private') })],
    severity: 'high',
  },
  {
    rule: 'R14',
    name: 'curl on a key for agents',
    events: [at(0, { agent: 'curl' })],
    short: [at(0, { agent: 'codex' })],
    severity: 'medium',
    credentials: [credential({ expected_agents: ['claude-code'] })],
  },
  {
    rule: 'R24',
    name: 'somebody else within an hour of its making',
    events: [at(1, { user: 'ben@acme.example' })],
    short: [at(0, { user: 'ben@acme.example' })],
    severity: 'medium',
    credentials: [credential({ owner: 'ana@acme.example', owner_kind: 'person', created_at: iso(NOON - HOUR) })],
  },
  {
    rule: 'R25',
    name: 'three keys from one address that nobody is known behind',
    events: ['a', 'b', 'c'].map((key) => at(0, { user: '', host: '', fingerprint: fingerprintOf(key) })),
    short: ['a', 'b'].map((key) => at(0, { user: '', host: '', fingerprint: fingerprintOf(key) })),
    severity: 'high',
    facts: { keys: 3, endpoint: HOME },
  },
  {
    rule: 'R29',
    name: 'two rules on one lane within a day',
    events: [at(0), at(0, { user: 'ben@acme.example' })],
    short: [at(0), at(0)],
    severity: 'critical',
    facts: { rules: ['R01', 'R05'] },
    credentials: [],
  },
];

test('every rule that events decide is held here against what it fires for and what is one step short of that', () => {
  const decided = RULE_CATALOGUE.filter(({ decidedBy }) => decidedBy === 'stream').map(({ id }) => id);
  expect([...new Set(CASES.map(({ rule }) => rule))].sort()).toEqual(decided);
});

describe.each(CASES)(
  '$rule: $name',
  ({ rule, events, short, severity, facts = {}, credentials = [registered], overrides = {} }) => {
    test('raises a finding, the same after a restart behind each event', async () => {
      const findings = await findingsOf(events, credentials, { only: rule, overrides });
      expect(findings).toMatchObject([{ rule, severity, facts }]);
    });

    test('raises none one step short of it', async () => {
      const findings = await findingsOf(short, credentials, { only: rule, overrides });
      expect(findings.filter((finding) => finding.severity === severity)).toEqual([]);
    });
  },
);

test('what is usual on lanes is the same however often and wherever a detector dies', async () => {
  const anyEvent = fc.record({
    agoHours: fc.integer({ min: 0, max: 900 }),
    lane: fc.constantFrom('one', 'two'),
    ip: fc.constantFrom(HOME, '81.2.0.1', '82.1.0.7', '83.1.0.7', '10.0.0.1', ''),
    agent: fc.constantFrom('claude-code', 'curl', 'codex'),
    user: fc.constantFrom('ana@acme.example', 'ben@acme.example', ''),
    repo: fc.constantFrom('acme/api', 'acme/web', ''),
    host: fc.constantFrom('laptop', ''),
    outcome: fc.constantFrom('success', 'success', 'success', 'denied', 'failed'),
    usd: fc.integer({ min: 0, max: 60 }),
  });
  const overrides: RuleOverrides = {
    R07: { events: 3, lane_age_ms: DAY },
    R10: { days: 2 },
    R11: { days: 2, calls: 2 },
    R17: { calls: 2, usual_times: 1 },
    R12: { days: 1 },
  };
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyEvent, { minLength: 10, maxLength: 90 }),
      fc.func(fc.boolean()),
      async (some, dies) => {
        const ordered = some.toSorted((left, right) => right.agoHours - left.agoHours);
        // A few come late.
        const events = ordered.map(({ agoHours, lane, usd, ...fields }, index) => ({
          ...fields,
          ...at((agoHours + (index % 7 === 0 ? 5 : 0)) * HOUR, {
            ...fields,
            ...dollars(usd),
            fingerprint: fingerprintOf(lane),
          }),
        })) as Partial<UsageEvent>[];
        const credentials = [credential({ fingerprint: fingerprintOf('one') })];
        const uncut = await findingsOfLives(events, credentials, { overrides }, () => false);
        expect(await findingsOfLives(events, credentials, { overrides }, (number) => dies(number))).toEqual(uncut);
      },
    ),
    { numRuns: 25 },
  );
});

test('R07: somebody known, or whose key it is, or one more of a team, whose own agent reports from elsewhere is low, whichever agent it is; the gateway’s word for it is not', async () => {
  const abroad = (fields: Partial<UsageEvent>) => at(0, { ...inNewPlace, user: 'ana@acme.example', ...fields });
  const before = days(7).map((event) => ({ ...event, user: 'ana@acme.example' }));
  const ben = { reporter: 'agent', agent: 'codex', user: 'ben@acme.example' } as const;
  for (const [fields, severity, key] of [
    [{ reporter: 'agent' }, 'low', {}],
    [{ reporter: 'agent', agent: 'codex' }, 'low', {}],
    [ben, 'high', {}],
    [ben, 'low', { owner: 'Ben@acme.example', owner_kind: 'person' }],
    [ben, 'low', { sharing: 'team', people_declared: 9 }],
    [{ reporter: 'proxy' }, 'medium', {}],
  ] as const)
    expect(
      await findingsOf([...before, abroad(fields)], [credential(key)], {
        ...{ only: 'R07', overrides: { R07: { events: 3 } } },
      }),
    ).toMatchObject([{ rule: 'R07', severity }]);
});

test('R12: who moves on to a key that the registry has as their own is low, and to somebody else’s is not', async () => {
  const moved = [...days(3), at(0, { fingerprint: fingerprintOf('next') })];
  for (const [owner, severity] of [
    [usual.user, 'low'],
    ['ben@acme.example', 'medium'],
  ] as const) {
    const next = credential({ id: 'next', fingerprint: fingerprintOf('next'), owner, owner_kind: 'person' });
    expect(await findingsOf(moved, [registered, next], { only: 'R12' })).toMatchObject([{ severity }]);
  }
});
