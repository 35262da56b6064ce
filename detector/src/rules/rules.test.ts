import { fingerprintOf } from '@lanewatch/ingest/contract';
import { describe, expect, test } from 'vitest';
import { RULE_CATALOGUE, type Finding } from '../../contract/index.ts';
import { NOON } from '../pipeline/testing/events.ts';
import { rulesInForce } from './index.ts';
import { credential, findingsOf, HINT, HOUR, iso, LANE } from './testing/run-rules.ts';

const ruleIds = (findings: Finding[]) => findings.map(({ rule }) => rule).sort();

describe('R01 unknown key', () => {
  const stale = { time: NOON - 2 * HOUR, received_at: NOON, host: 'build-7', user: 'ana@acme.example' };

  test('is high for a key that was used a while ago, cheaply, by somebody known', async () => {
    expect(await findingsOf([stale])).toMatchObject([{ rule: 'R01', severity: 'high', risk: 73, occurrences: 1 }]);
  });

  test.each([
    ['it costs a dollar in a live session', { ...stale, time: NOON - 60_000, cost_nano_usd: 1_000_000_000 }],
    ['five dollars were spent', { ...stale, cost_nano_usd: 5_000_000_000 }],
    [
      'it costs a dollar from an address that nobody is known behind',
      { ...stale, user: '', host: '', ip: '10.0.1.44', cost_nano_usd: 1_000_000_000 },
    ],
  ])('is critical when %s', async (_, event) => {
    expect(await findingsOf([event])).toMatchObject([{ rule: 'R01', severity: 'critical', risk: 99 }]);
  });

  test('stays critical when events arrive late that were spooled while its session was live', async () => {
    const spooled = { ...stale, time: NOON - 4 * HOUR, received_at: NOON + HOUR, cost_nano_usd: 600_000_000 };
    expect(await findingsOf([{ ...stale, time: NOON - 60_000, cost_nano_usd: 400_000_000 }, spooled])).toMatchObject([
      { severity: 'critical', facts: { session_active: true } },
    ]);
  });

  describe('and an address', () => {
    const fromAddress = { ...stale, user: '', host: '', ip: '10.0.1.44', cost_nano_usd: 1_000_000_000 };

    test.each([
      ['a host name', { host: 'build-7' }],
      ['a user', { user: 'ana' }],
    ])('that %s stands behind raises nothing', async (_, fields) => {
      expect(await findingsOf([{ ...fromAddress, ...fields }])).toMatchObject([
        { severity: 'high', facts: { endpoint_unresolved: false } },
      ]);
    });

    test.each(['', fingerprintOf('install'), '10.0.1.44'])(
      'that nobody is known behind (user "%s") raises it, whoever else names themselves',
      async (user) => {
        const named = { ...stale, user: 'bob' };
        for (const events of [
          [named, { ...fromAddress, user }],
          [{ ...fromAddress, user }, named, { ...named, ip: '10.0.1.45' }],
        ])
          expect(await findingsOf(events)).toMatchObject([
            { rule: 'R01', severity: 'critical', facts: { endpoint_unresolved: true } },
          ]);
      },
    );
  });

  test('of which only a hint is known is a level lower: anybody with a collector key can make one up', async () => {
    const byHint = { ...stale, fingerprint: '', hint: HINT };
    expect(await findingsOf([byHint])).toMatchObject([{ rule: 'R01', severity: 'medium' }]);
    expect(await findingsOf([{ ...byHint, cost_nano_usd: 5_000_000_000 }])).toMatchObject([{ severity: 'high' }]);
  });

  test('is not raised for a key that is refused, until it succeeds once; then its denied events are no occurrences', async () => {
    const denied = { outcome: 'denied', status_code: 401 } as const;
    expect(await findingsOf([denied, denied])).toEqual([]);
    expect(await findingsOf([denied, {}, denied])).toMatchObject([{ rule: 'R01', occurrences: 1 }]);
  });

  test('is not raised for known, ambiguous or unattributed use', async () => {
    expect(await findingsOf([{}], [credential({})])).toEqual([]);
    expect(await findingsOf([{ fingerprint: '', hint: '' }])).toEqual([]);
  });

  test('is one finding per lane, and every event of the lane an occurrence', async () => {
    const findings = await findingsOf([
      { time: NOON - 5000 },
      { session: 's2' },
      { fingerprint: fingerprintOf('other') },
    ]);
    expect(findings.map(({ occurrences }) => occurrences).sort()).toEqual([1, 2]);
    const finding = findings.find(({ lane }) => lane === LANE);
    expect(finding).toMatchObject({
      first_seen: iso(NOON - 5000),
      last_seen: iso(NOON),
      ledger_filter: { lane: LANE, finding: finding?.id },
    });
  });
});

test('R02 is raised where only an ambiguous hint speaks for the key', async () => {
  const registered = [credential({ org: '' })];
  const findings = await findingsOf([{ fingerprint: '', hint: HINT, org: 'acme' }], registered);
  expect(findings).toMatchObject([{ rule: 'R02', severity: 'medium', fingerprint: '', hint: HINT }]);
});

describe('R03 revoked or expired key in use', () => {
  const revoked = credential({ status: 'revoked', revoked_at: iso(NOON) });

  test('is critical from the first event after a revocation', async () => {
    expect(await findingsOf([{ time: NOON + 1, received_at: NOON + 500 }], [revoked])).toMatchObject([
      { rule: 'R03', severity: 'critical' },
    ]);
  });

  test('is high for an expired key', async () => {
    const expired = credential({ expires_at: iso(NOON) });
    expect(await findingsOf([{ time: NOON + 1 }], [expired])).toMatchObject([{ rule: 'R03', severity: 'high' }]);
  });

  test('gives a late event the benefit of the skew, and no more', async () => {
    const late = (afterMs: number) => ({ time: NOON + afterMs, received_at: NOON + HOUR });
    expect(await findingsOf([late(60_000)], [revoked])).toEqual([]);
    expect(ruleIds(await findingsOf([late(60_001)], [revoked]))).toEqual(['R03']);
  });

  test('tells of the use that raised it, not of the credential that the lane matches later', async () => {
    const byHint = credential({ id: 'by-hint', fingerprint: '', org: 'acme', expires_at: iso(NOON) });
    const registered = { ...credential({ id: 'registered', hint: 'sk-other', org: 'acme' }) };
    const use = (ms: number) => ({ hint: HINT, time: NOON + ms, received_at: NOON + ms });
    const findings = await findingsOf([use(1), use(2)], [byHint], { later: [registered] });
    expect(findings).toMatchObject([
      { rule: 'R03', severity: 'high', credential_id: 'by-hint', occurrences: 1, facts: { standing: 'expired' } },
    ]);
  });

  test('is not raised for use before the end', async () => {
    expect(await findingsOf([{ time: NOON - 1 }], [revoked])).toEqual([]);
  });
});

describe('R05 shared lane', () => {
  const ana = { user: 'ana@acme.example' };
  const ben = { user: 'ben@acme.example' };
  const eve = { user: 'eve@acme.example' };

  test('is raised by the second person on a personal key, once', async () => {
    const findings = await findingsOf([ana, ben, ana, ben, ana], [credential({})]);
    expect(findings).toMatchObject([
      { rule: 'R05', severity: 'medium', occurrences: 1, facts: { people: [ana.user, ben.user] } },
    ]);
  });

  test('counts people within the window only', async () => {
    const dayBefore = { ...ana, time: NOON - 24 * HOUR };
    expect(await findingsOf([dayBefore, ben], [credential({})])).toEqual([]);
    expect(ruleIds(await findingsOf([{ ...dayBefore, time: dayBefore.time + 1 }, ben], [credential({})]))).toEqual([
      'R05',
    ]);
  });

  test('still names everybody when the same people go on for days in new sessions and repositories', async () => {
    const days = [0, 1, 2, 3, 4].flatMap((day) =>
      [ana, ben].flatMap((person) =>
        [0, 8, 16].map((hour) => ({
          ...person,
          session: `${person.user} on day ${day}`,
          repo: `acme/day-${day}`,
          time: NOON + (day * 24 + hour) * HOUR,
          received_at: NOON + (day * 24 + hour) * HOUR + 1000,
        })),
      ),
    );
    const findings = await findingsOf(
      days.sort((left, right) => left.time - right.time),
      [credential({})],
      { only: 'R05' },
    );
    expect(findings).toMatchObject([
      {
        rule: 'R05',
        severity: 'medium',
        occurrences: 1,
        facts: { people: [ana.user, ben.user], repos: ['acme/day-0'] },
      },
    ]);
  });

  test('lets a team key have the people it was declared for and not one more', async () => {
    const team = [credential({ sharing: 'team', people_declared: 2 })];
    expect(await findingsOf([ana, ben], team)).toEqual([]);
    expect(await findingsOf([ana, ben, eve], team)).toMatchObject([{ rule: 'R05', facts: { people_count: 3 } }]);
  });

  test('does not take installations, addresses or placeholders for people', async () => {
    const unresolved = [{ user: fingerprintOf('install') }, { user: '10.0.0.7' }, { user: 'unknown' }];
    expect(await findingsOf([ana, ...unresolved], [credential({})])).toEqual([]);
    const findings = await findingsOf([ana, ...unresolved, ben], [credential({})]);
    expect(findings).toMatchObject([{ rule: 'R05', facts: { people_count: 2, unresolved_users: 3 } }]);
  });

  test('is high when an environment is added too', async () => {
    const events = [
      { ...ana, environment: 'staging' },
      { ...ben, environment: 'production', time: NOON + 1 },
    ];
    expect(await findingsOf(events, [credential({})])).toMatchObject([
      { rule: 'R05', severity: 'high', facts: { environments: ['production', 'staging'], added: ['production'] } },
    ]);
  });

  test('is medium where repositories and environments have been what they are for longer than the window', async () => {
    const reach = [
      { repo: 'acme/api', environment: 'staging' },
      { repo: 'acme/web', environment: 'production' },
    ];
    const longAgo = reach.map((fields, index) => ({ ...ana, ...fields, time: NOON - 48 * HOUR + index }));
    const today = reach.map((fields, index) => ({ ...(index === 0 ? ana : ben), ...fields, time: NOON + index }));
    expect(await findingsOf([...longAgo, ...today], [credential({})])).toMatchObject([
      { rule: 'R05', severity: 'medium', facts: { repos: ['acme/api', 'acme/web'], added: [] } },
    ]);
  });

  test('is high when a repository is added too', async () => {
    const findings = await findingsOf(
      [
        { ...ana, repo: 'acme/api' },
        { ...ben, repo: 'acme/web', time: NOON + 1 },
      ],
      [credential({})],
    );
    expect(findings).toMatchObject([
      { rule: 'R05', severity: 'high', facts: { repos: ['acme/api', 'acme/web'], added: ['acme/web'] } },
    ]);
  });

  describe('with more people than a lane has room for otherwise', () => {
    const team = (count: number) =>
      Array.from({ length: count }, (_, index) => `person-${String(index).padStart(3, '0')}`);
    const rounds = (people: readonly string[], times: number) =>
      Array.from({ length: times }, (_, round) => round).flatMap((round) =>
        people.map((user, index) => ({ user, time: NOON - HOUR + round * 60_000 + index })),
      );

    test('a team key may have as many as it was declared for and not one more', async () => {
      const declared = [credential({ sharing: 'team', people_declared: 40 })];
      expect(await findingsOf(rounds(team(40), 2), declared)).toEqual([]);
      expect(await findingsOf(rounds(team(41), 2), declared)).toMatchObject([
        { rule: 'R05', occurrences: 1, facts: { people_count: 41, people: team(32) } },
      ]);
    });

    test('steady use adds no occurrence to those of everybody’s first', async () => {
      expect(await findingsOf(rounds(team(40), 5), [credential({})])).toMatchObject([
        { rule: 'R05', occurrences: 39, facts: { people_count: 40 } },
      ]);
    });

    test('where there is no more room, the people it tells of are the least there were, and steady use adds nothing', async () => {
      const findings = await findingsOf(rounds(team(20), 5), [credential({})], { extraValuesMax: 0 });
      expect(findings).toMatchObject([
        { rule: 'R05', occurrences: 7, facts: { people_count: 8, people_count_is_minimum: true } },
      ]);
    });
  });

  describe('of events that arrive late', () => {
    const at = (hour: number, person: { user: string }) => ({ ...person, time: NOON - 240 * HOUR + hour * HOUR });

    test('counts those people who joined, not every event of two who were there all the time', async () => {
      const hours = Array.from({ length: 30 }, (_, hour) => hour);
      const now = [at(239, ana), at(239, ben)];
      const backfill = hours.flatMap((hour) => [at(hour, ana), at(hour, ben)]);
      for (const events of [backfill, backfill.toReversed()])
        expect(await findingsOf([...now, ...events], [credential({})])).toMatchObject([
          { rule: 'R05', occurrences: 2 },
        ]);
    });

    test('does not take people for present from their first to their last use', async () => {
      const monday = at(0, ana);
      const friday = at(96, ana);
      expect(await findingsOf([monday, friday, at(48, ben)], [credential({})])).toEqual([]);
      const findings = await findingsOf([at(0, eve), at(96, eve), at(47, ana), at(48, ben)], [credential({})]);
      expect(findings).toMatchObject([{ rule: 'R05', facts: { people: [ana.user, ben.user], people_count: 2 } }]);
    });

    test('does not count people together who were never there within one window', async () => {
      const declared = [credential({ sharing: 'team', people_declared: 2 })];
      expect(await findingsOf([at(0, ana), at(40, eve), at(20, ben)], declared)).toEqual([]);
      expect(await findingsOf([at(0, ana), at(23, eve), at(20, ben)], declared)).toMatchObject([
        { rule: 'R05', facts: { people_count: 3 } },
      ]);
    });
  });

  describe('on a key that goes round many repositories', () => {
    const repos = Array.from({ length: 40 }, (_, index) => `acme/service-${index}`);
    const longAgo = repos.map((repo, index) => ({ ...ana, repo, time: NOON - 72 * HOUR + index }));
    const today = repos.map((repo, index) => ({ ...(index % 2 === 0 ? ana : ben), repo, time: NOON - HOUR + index }));

    test('is medium while they are the ones of old, and high with one that is not', async () => {
      expect(await findingsOf([...longAgo, ...today], [credential({})])).toMatchObject([
        { rule: 'R05', severity: 'medium', facts: { added: [] } },
      ]);
      expect(
        await findingsOf([...longAgo, ...today, { ...ben, repo: 'acme/new', time: NOON }], [credential({})]),
      ).toMatchObject([{ rule: 'R05', severity: 'high', facts: { added: ['acme/new'] } }]);
    });

    test('calls none added where there is no room to remember those of old', async () => {
      expect(await findingsOf([...longAgo, ...today], [credential({})], { extraValuesMax: 0 })).toMatchObject([
        { rule: 'R05', severity: 'medium', facts: { added: [] } },
      ]);
    });
  });

  test('is raised on an unregistered key beside R01', async () => {
    expect(ruleIds(await findingsOf([ana, ben]))).toEqual(['R01', 'R05', 'R29']);
  });
});

describe('parameters', () => {
  test('are the catalogue’s, by their names, where nothing else is set', () => {
    for (const rule of rulesInForce()) {
      const described = RULE_CATALOGUE.find(({ id }) => id === rule.id);
      expect(rule.parameters).toEqual(
        Object.fromEntries((described?.parameters ?? []).map(({ name, default: value }) => [name, value])),
      );
    }
  });

  test('that are set decide instead, and are told with the finding', async () => {
    const people = ['ana', 'ben', 'eve'].map((user, index) => ({ user, time: NOON - 2 * HOUR + index * HOUR }));
    const overrides = { R01: { spend_usd: 0.5 }, R05: { people_on_personal_key: 3, window_ms: 2 * HOUR + 1 } };
    const expectedR05 = { rule: 'R05', occurrences: 1, parameters: { ...overrides.R05, people_over_declared: 1 } };
    expect(await findingsOf(people, [credential({})], { overrides })).toMatchObject([expectedR05]);
    expect(
      await findingsOf(people, [credential({})], { overrides: { R05: { ...overrides.R05, window_ms: 2 * HOUR } } }),
    ).toEqual([]);
    const spent = { ip: '', time: NOON - 2 * HOUR, received_at: NOON, cost_nano_usd: 500_000_000 };
    expect(await findingsOf([spent], [], { overrides })).toMatchObject([
      { severity: 'critical', parameters: { spend_usd: 0.5 } },
    ]);
    expect(await findingsOf([spent])).toMatchObject([{ severity: 'high', parameters: { spend_usd: 5 } }]);
  });
});
