import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { ENTITY_KINDS, segmentOf } from '../contract/index.ts';
import type { Entity, EntityDetail, EntityKind, Session } from '../contract/index.ts';
import { engineOf, startHarness } from './testing/harness.ts';
import type { Harness } from './testing/harness.ts';

const KNOWN = 'a'.repeat(64);
const UNKNOWN = 'b'.repeat(64);
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 3_600_000;

let api: Harness;
let nowMs: number;
beforeAll(async () => {
  api = await startHarness({ engine: engineOf(inject('clickhouseServer')) });
  nowMs = Date.now();
  await api.post('/v1/credentials', {
    ...{ name: 'dev key', fingerprint: KNOWN, hint: 'sk-ant-...A3F2', org: 'qpoint-dev', owner: 'ada' },
    environment: 'development',
  });
  const known = { fingerprint: KNOWN, hint: 'sk-ant-...A3F2', org: 'qpoint-dev', standing: 'known' as const };
  const unknown = { fingerprint: UNKNOWN, hint: 'sk-ant-...C001' };
  const at = (minutes: number): { seen_at: number } => ({ seen_at: nowMs - minutes * MINUTE_MS });
  await api.storeRows([
    // Long before the window.
    { ...known, user: 'ada', session: 'old', agent: 'codex', model: 'gpt-5', seen_at: nowMs - 40 * DAY_MS },
    {
      ...known,
      user: 'ada',
      session: 'first',
      ip: '10.0.0.1',
      agent: 'codex',
      model: 'gpt-5',
      cost_nano_usd: 1e9,
      ...at(90),
    },
    // One run that changes its key twice and fails once.
    {
      ...known,
      user: 'ada',
      session: 'run',
      ip: '10.0.0.1',
      agent: 'codex',
      model: 'gpt-5',
      cost_nano_usd: 2e9,
      ...at(60),
    },
    {
      ...unknown,
      user: 'ada',
      session: 'run',
      ip: '10.0.0.2',
      agent: 'codex',
      model: 'gpt-5',
      outcome: 'failed',
      ...at(50),
    },
    {
      ...known,
      user: 'ada',
      session: 'run',
      ip: '10.0.0.1',
      agent: 'codex',
      model: 'gpt-5-mini',
      cost_nano_usd: 5e8,
      ...at(40),
    },
    { ...known, user: 'bob', session: 'later', host: 'ci-7', agent: 'codex', model: 'gpt-5', ...at(20) },
    { ...unknown, session: 'later-still', repo: 'github.com/acme/shop', agent: 'rogue', ...at(2) },
    { standing: 'unattributed', user: '..', session: '<b>', agent: '~', ...at(1) },
  ]);
});
afterAll(() => api.close());

const list = async (kind: EntityKind, query: Record<string, string> = {}): Promise<Entity[]> =>
  (await api.get(`/v1/entities/${kind}`, query)).body.items;
const valuesOf = (items: Entity[]): string[] => items.map(({ value }) => value);

describe('the list of a kind', () => {
  test('tells of each value which keys it used, how many were unknown, its spend, and whether it is new', async () => {
    const people = await list('user');
    expect(valuesOf(people)).toEqual(['..', '', 'bob', 'ada']);
    expect(people.find(({ value }) => value === 'ada')).toMatchObject({
      ...{ events: 4, failed_events: 1, cost_usd: '3.5', keys: 2, unknown_keys: 1, sessions: 2, is_new: false },
      lanes: [
        { lane: UNKNOWN, hint: 'sk-ant-...C001', standing: 'unknown' },
        { lane: KNOWN, hint: 'sk-ant-...A3F2', standing: 'known' },
      ],
    });
    expect(people.find(({ value }) => value === '')).toMatchObject({
      events: 1,
      unknown_keys: 1,
      is_live: true,
      is_new: true,
    });
    expect(people.find(({ value }) => value === '..')).toMatchObject({ keys: 0, lanes: [] });
    expect(valuesOf(await list('endpoint'))).toEqual(['', 'ci-7', '10.0.0.1', '10.0.0.2']);
  });

  test('has every value once, page by page, in each order', async () => {
    for (const kind of ['user', 'endpoint'] as const) {
      const all = new Set(valuesOf(await list(kind)));
      for (const sort of ['last_seen', 'first_seen', 'events', 'cost', 'keys', 'unknown_keys', 'value']) {
        const seen: string[] = [];
        let cursor: string | null | undefined;
        while (cursor !== null) {
          const query = { sort, order: 'asc', limit: '2', ...(cursor === undefined ? {} : { cursor }) };
          const { status, body } = await api.get(`/v1/entities/${kind}`, query);
          expect(status).toBe(200);
          seen.push(...valuesOf(body.items));
          cursor = body.next_cursor;
        }
        expect([kind, sort, seen.length, new Set(seen)]).toEqual([kind, sort, all.size, all]);
      }
    }
  });

  test.each([
    ['q', 'AD', ['ada']],
    ['lane', UNKNOWN, ['', 'ada']],
    ['unknown', 'true', ['', 'ada']],
    ['unknown', 'false', ['..', 'bob']],
    ['new', 'true', ['..', '', 'bob']],
    ['new', 'false', ['ada']],
  ])('keeps to its filter %s=%s', async (name, value, expected) => {
    expect(valuesOf(await list('user', { [name]: value }))).toEqual(expected);
  });
});

test('every count of a value’s page is that of the rows it opens, and each of its parts has a page', async () => {
  for (const kind of ENTITY_KINDS) {
    for (const { value } of await list(kind, { window: '90d' })) {
      const { status, body } = await api.get(`/v1/entities/${kind}/${segmentOf(value)}`, { window: '90d' });
      expect([kind, value, status]).toEqual([kind, value, 200]);
      const entity = body as EntityDetail;
      const filter = value !== '' ? { [kind]: value } : { without: kind === 'endpoint' ? ['ip', 'host'] : [kind] };
      const rows = (await api.get('/v1/ledger', { ...filter, from: entity.from, to: entity.to })).body;
      expect(rows.totals).toMatchObject({ events: entity.events, cost_usd: entity.cost_usd });
      expect(entity.trend.reduce((sum, { events }) => sum + events, 0)).toBe(entity.events);
      for (const { nodes } of entity.groups) {
        expect(nodes.reduce((sum, { events }) => sum + events, 0)).toBe(entity.events);
      }
      expect(entity.lanes.filter(({ standing }) => standing === 'unknown')).toHaveLength(entity.unknown_keys);
    }
  }
  expect((await api.get('/v1/entities/user/nobody')).status).toBe(404);
});

test('a session is told call by call: its keys, where they change, and what came before and after on each', async () => {
  const { body } = await api.get('/v1/sessions/run', { limit: '2' });
  const session = body as Session;
  expect(session).toMatchObject({ events: 3, failed_events: 1, cost_usd: '2.5', is_live: false });
  expect(session.calls.items.map(({ model }) => model)).toEqual(['gpt-5', 'gpt-5']);
  const rest = await api.get('/v1/sessions/run', { limit: '2', cursor: session.calls.next_cursor ?? '' });
  expect(rest.body.calls).toMatchObject({ items: [{ model: 'gpt-5-mini' }], next_cursor: null });
  expect(session.key_changes.map(({ from_lane, to_lane }) => [from_lane, to_lane])).toEqual([
    [KNOWN, UNKNOWN],
    [UNKNOWN, KNOWN],
  ]);
  expect(session.lanes).toMatchObject([
    { lane: KNOWN, standing: 'known', events: 2, before: { session: 'first' }, after: { session: 'later' } },
    { lane: UNKNOWN, standing: 'unknown', failed_events: 1, before: null, after: { session: 'later-still' } },
  ]);
  expect(session.axis.steps.reduce((sum, { events }) => sum + events, 0)).toBe(session.events);
  expect((await api.get(`/v1/sessions/${segmentOf('')}`)).status).toBe(404);
});

test('a request that agent and proxy report is one call of its session, and its row tells of both', async () => {
  const request = { session: 'joined', model: 'gpt-5', agent: 'twice-told', seen_at: nowMs - 10 * MINUTE_MS };
  const agent = { ...request, source: 'codex', id: 'a', reporter: 'agent' as const, user: 'eve', cost_nano_usd: 2e9 };
  const proxy = { ...request, source: 'proxy/openai', id: 'p', reporter: 'proxy' as const, fingerprint: KNOWN };
  const correction = { source: 'lanewatch/corrections', flags: ['correction' as const] };
  const both = [
    ['codex', 'a'],
    ['proxy/openai', 'p'],
  ];
  await api.storeRows([
    agent,
    proxy,
    { ...agent, ...correction, id: 'r-a', calls: -1, cost_nano_usd: -2e9, joins: JSON.stringify(both) },
    { ...proxy, ...correction, id: 'r-p', calls: -1, joins: JSON.stringify(both.toReversed()) },
    { ...agent, ...correction, id: 'e', fingerprint: KNOWN, lane: KNOWN, joins: JSON.stringify(both) },
  ]);
  const session = (await api.get('/v1/sessions/joined')).body as Session;
  expect(session).toMatchObject({ events: 1, cost_usd: '2', key_changes: [], lanes: [{ lane: KNOWN, events: 1 }] });
  expect(session.calls.items.map(({ id }) => id)).toEqual(['e']);
  const of = async (query: Record<string, string>) => (await api.get('/v1/ledger', query)).body;
  expect((await of({ session: 'joined' })).totals).toEqual({ events: 1, cost_usd: '2', sessions: 1 });
  expect((await of({ joins: 'p' })).items.map(({ id }: { id: string }) => id).toSorted()).toEqual(['e', 'r-a', 'r-p']);
});

test.each([
  ['a person', 'ADA', 2],
  ['an address', '10.0.0.2', 1],
  ['a repository', 'acme/shop', 1],
  ['a session', 'later-st', 1],
])('lanes are found by %s that they were seen with', async (_what, q, lanes) => {
  expect((await api.get('/v1/lanes', { q })).body.items).toHaveLength(lanes);
});

test('rows are found by what is typed as by parameters, and a place that can’t be understood is named', async () => {
  const { body } = await api.get('/v1/ledger', { q: 'agent:cod* -user:bob cost>0 cost<=2 user:ADA user:nobody' });
  expect(body.totals).toEqual({ events: 3, cost_usd: '3.5', sessions: 2 });
  const refused = await api.get('/v1/ledger', { q: 'agent:codex usr:ada' });
  expect(refused).toMatchObject({ status: 400, body: { errors: [{ path: 'q' }] } });
  expect(refused.body.detail).toContain('at sign 13 is no field of the ledger');
  const histogram = (await api.get('/v1/ledger/histogram', { q: 'user:*' })).body;
  const counted = histogram.steps.reduce((sum: number, step: { events: number }) => sum + step.events, 0);
  expect(counted).toBe((await api.get('/v1/ledger/totals', { q: 'user:*' })).body.events);
});
