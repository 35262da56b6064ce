import { laneOf } from '@lanewatch/ingest/contract';
import { afterEach, beforeEach, describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import { lanesQuerySchema, WINDOWS } from '../contract/index.ts';
import { createLaneFacts, factsReadAnew } from './lanes/facts.ts';
import { firstSeenSql } from './lanes/detail.ts';
import { lanesPageSql } from './lanes/list.ts';
import { laneRowsSql, shownSql } from './lanes/rows.ts';
import { lanesParameters } from './lanes/states.ts';
import { windowScope } from './ledger/scope.ts';
import { trendSql } from './ledger/trend.ts';
import { sharingSql } from './lanes/sharing.ts';
import { countTrendSql } from './overview/count-trend.ts';
import { figuresSql, readFigures } from './overview/figures.ts';
import { unknownSessionsSql } from './overview/unknown-sessions.ts';
import { engineOf, startHarness } from './testing/harness.ts';
import type { Harness } from './testing/harness.ts';

const KNOWN = 'a'.repeat(64);
const UNKNOWN = 'b'.repeat(64);
const MINUTE_MS = 60_000;

const engine = engineOf(inject('clickhouseServer'));
let api: Harness;
beforeEach(async () => {
  api = await startHarness({ engine });
});
afterEach(() => api.close());

/** The organisation of the landing page's example: a known key, and an unknown one in use right now. */
async function storeExample(): Promise<void> {
  const now = Date.now();
  await api.post('/v1/credentials', {
    name: 'dev key',
    fingerprint: KNOWN,
    hint: 'sk-ant-...A3F2',
    org: 'qpoint-dev',
    owner: 'ada',
    environment: 'development',
  });
  await api.storeRows([
    ...['ada', 'bob', 'ada'].map((user, index) => ({
      fingerprint: KNOWN,
      hint: 'sk-ant-...A3F2',
      org: 'qpoint-dev',
      standing: 'known' as const,
      match: 'proven' as const,
      user,
      session: `known-${index}`,
      agent: 'Claude Code',
      cost_nano_usd: 15_733_333_333,
      seen_at: now - 5 * 3_600_000 + index,
    })),
    ...[22, 2].map((minutes) => ({
      fingerprint: UNKNOWN,
      hint: 'sk-ant-...C001',
      session: 'rogue',
      ip: '10.0.1.44',
      agent: 'Claude Code',
      agent_version: '1.2.0',
      model: 'claude-sonnet-4-6',
      cost_nano_usd: 305_000_000,
      tokens_output: 7,
      seen_at: now - minutes * MINUTE_MS,
    })),
    { session: 'nobody', cost_nano_usd: 1, standing: 'unattributed', seen_at: now - MINUTE_MS },
  ]);
}

describe('overview and lanes', () => {
  test('an empty ledger is told apart from a calm one', async () => {
    const { status, body } = await api.get('/v1/overview');
    expect(status).toBe(200);
    expect(body).toMatchObject({ keys_observed: 0, events: 0, cost_usd: '0', banner: [], last_stored_at: null });
    expect(body.trend.every((step: { events: number }) => step.events === 0)).toBe(true);
    expect(body.trend).toHaveLength(7);
  });

  test('the banner names the unknown key and its live session, and every count is that of the rows it opens', async () => {
    await storeExample();
    const { body } = await api.get('/v1/overview');
    expect(body).toMatchObject({
      keys_observed: 2,
      primary_org: 'qpoint-dev',
      known_lanes: 1,
      unknown_lanes: 1,
      doubtful_lanes: 0,
      retired_lanes: 0,
      shared_lanes: 1,
      overshared_lanes: 1,
      weakly_governed_lanes: 0,
      unknown_key_sessions: 1,
      live_unknown_sessions: 1,
      live_unknown_spend_usd: '0.61',
      unattributed_events: 1,
      events: 6,
      cost_usd: '47.81',
    });
    expect(body.banner).toEqual([
      expect.objectContaining({
        lane: UNKNOWN,
        hint: 'sk-ant-...C001',
        standing: 'unknown',
        session: 'rogue',
        session_live: true,
        ip: '10.0.1.44',
        agent: 'Claude Code',
        agent_version: '1.2.0',
        model: 'claude-sonnet-4-6',
        cost_usd: '0.61',
        session_cost_usd: '0.61',
      }),
    ]);
    expect(body.last_stored_at).not.toBeNull();

    const named = (await api.get('/v1/lanes', { attributed: 'true' })).body.items;
    expect(named).toHaveLength(body.keys_observed);
    const lanes = (await api.get('/v1/lanes')).body;
    expect(lanes.items.map(({ lane }: { lane: string }) => lane)).toEqual([UNKNOWN, 'unattributed', KNOWN]);
    for (const lane of lanes.items) {
      const rows = (await api.get('/v1/ledger', { lane: lane.lane, from: body.from })).body;
      expect(rows.totals).toEqual({ events: lane.events, cost_usd: lane.cost_usd, sessions: lane.sessions });
      expect(rows.items).toHaveLength(lane.events);
    }
    const trendCost = body.trend.map((step: { cost_usd: string }) => Number(step.cost_usd));
    expect(trendCost.reduce((sum: number, cost: number) => sum + cost, 0)).toBeCloseTo(47.81, 8);
    const trendEvents = body.trend.map((step: { events: number }) => step.events);
    expect(trendEvents.reduce((sum: number, events: number) => sum + events, 0)).toBe(6);
  });

  test('the banner tells what the latest session cost from what its lane did', async () => {
    const now = Date.now();
    const use = (session: string, minutes: number, cents: number, parts: object = {}) => ({
      ...{ fingerprint: UNKNOWN, session, seen_at: now - minutes * MINUTE_MS, cost_nano_usd: cents * 10_000_000 },
      ...parts,
    });
    const elsewhere = { fingerprint: 'c'.repeat(64) };
    await api.storeRows([
      ...[use('first', 90, 400), use('second', 7, 61), use('second', 3, 9), use('second', 1, 30, elsewhere)],
      ...[use('', 2, 5, { fingerprint: 'e'.repeat(64) }), use('second', 60 * 24 * 30, 1000)],
    ]);
    const { banner } = (await api.get('/v1/overview')).body;
    expect(
      banner.map((one: Record<string, string>) => [one['lane']![0], one['cost_usd'], one['session_cost_usd']]),
    ).toEqual([
      ['b', '4.7', '0.7'],
      ['c', '0.3', '0.3'],
      ['e', '0.05', '0'],
    ]);
  });

  test('a key that was used only before it was revoked is no retired key in use', async () => {
    const { body } = await api.post('/v1/credentials', { name: 'ci', fingerprint: KNOWN });
    const used = { fingerprint: KNOWN, match: 'proven' as const, credential_id: body.credential.id };
    await api.storeRows([{ ...used, standing: 'known', seen_at: Date.now() - MINUTE_MS }]);
    await api.post(`/v1/credentials/${body.credential.id}/revoke`);
    const counts = async () => {
      const { retired_lanes, doubtful_lanes, banner } = (await api.get('/v1/overview')).body;
      return [retired_lanes, doubtful_lanes, banner.map(({ lane }: { lane: string }) => lane)];
    };
    const [lane] = (await api.get('/v1/lanes', { standing: 'revoked' })).body.items;
    expect(lane).toMatchObject({ retired_events: 0, posture: [{ reason: 'retired' }, { reason: 'weakly_governed' }] });
    expect(await counts()).toEqual([0, 0, []]);
    await api.storeRows([
      { ...used, standing: 'revoked' },
      { ...used, standing: 'revoked' },
    ]);
    expect(await counts()).toEqual([1, 1, [KNOWN]]);
    const { retired_events: count, posture } = (await api.get(`/v1/lanes/${KNOWN}`)).body;
    expect(posture[0].reason).toBe('revoked_in_use');
    const rows = await api.get('/v1/ledger', { lane: KNOWN, standing: ['revoked', 'expired'] });
    expect([count, rows.body.totals.events]).toEqual([2, 2]);
  });

  test('an unknown key that was refused every time is listed as refused, and is no unknown key in any count, until it is let in once', async () => {
    const typed = 'd'.repeat(64);
    const attempt = { fingerprint: typed, session: 'typing', outcome: 'denied' as const, status_code: 401 };
    await api.storeRows([attempt, attempt]);
    const state = async () => {
      const { body } = await api.get('/v1/overview');
      const listed = await Promise.all(['unknown_key', 'refused'].map((reason) => api.get('/v1/lanes', { reason })));
      return {
        ...{ unknown: body.unknown_lanes, refused: body.refused_lanes, keys: body.keys_observed },
        ...{ sessions: body.unknown_key_sessions, live: body.live_unknown_sessions, banner: body.banner.length },
        listed: listed.map((page) => page.body.items.length),
        lane: (await api.get(`/v1/lanes/${typed}`)).body.posture[0],
      };
    };
    expect(await state()).toEqual({
      ...{ unknown: 0, refused: 1, keys: 1, sessions: 0, live: 0, banner: 0, listed: [0, 1] },
      lane: {
        reason: 'refused',
        text: 'Refused every time in the last 7 days; not in the registry. A mistyped key looks like this.',
      },
    });
    await api.storeRows([{ ...attempt, outcome: 'success', status_code: 200 }]);
    expect(await state()).toMatchObject({
      ...{ unknown: 1, refused: 0, keys: 1, sessions: 1, live: 1, banner: 1, listed: [1, 0] },
      lane: { reason: 'unknown_key' },
    });
  });

  test('lanes are filtered by standing, sharing, life, org and text', async () => {
    await storeExample();
    const lanesOf = async (query: Record<string, string>): Promise<string[]> =>
      (await api.get('/v1/lanes', query)).body.items.map(({ lane }: { lane: string }) => lane);
    expect(await lanesOf({ standing: 'known' })).toEqual([KNOWN]);
    expect(await lanesOf({ shared: 'true' })).toEqual([KNOWN]);
    expect(await lanesOf({ reason: 'shared_too_broadly' })).toEqual([KNOWN]);
    expect(await lanesOf({ reason: 'weakly_governed' })).toEqual([]);
    expect((await api.get('/v1/lanes', { reason: 'ugly' })).status).toBe(400);
    expect(await lanesOf({ live: 'true', standing: 'unknown' })).toEqual([UNKNOWN]);
    expect(await lanesOf({ live: 'false' })).toEqual([KNOWN]);
    expect(await lanesOf({ org: 'qpoint-dev' })).toEqual([KNOWN]);
    expect(await lanesOf({ q: 'dev KEY' })).toEqual([KNOWN]);
    expect(await lanesOf({ q: 'bbbbbbbb' })).toEqual([UNKNOWN]);
    expect(await lanesOf({ sort: 'cost', order: 'asc' })).toEqual(['unattributed', UNKNOWN, KNOWN]);
    const first = (await api.get('/v1/lanes', { limit: '2' })).body;
    const second = (await api.get('/v1/lanes', { limit: '2', cursor: first.next_cursor })).body;
    expect([...first.items, ...second.items].map(({ lane }: { lane: string }) => lane)).toEqual(await lanesOf({}));
    expect(second.next_cursor).toBeNull();
    const wrongType = Buffer.from('["risk desc","x",1,"y"]').toString('base64url');
    const cursor = first.next_cursor as string;
    for (const other of [{ cursor, sort: 'events' }, { cursor, order: 'asc' }, { cursor: wrongType }]) {
      const { status, body } = await api.get('/v1/lanes', { limit: '2', ...other });
      expect([status, body.errors?.[0]?.path]).toEqual([400, 'cursor']);
    }
  });

  test('one lane shows its four topology groups', async () => {
    await storeExample();
    const { status, body } = await api.get(`/v1/lanes/${UNKNOWN}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      standing: 'unknown',
      match: 'none',
      sessions: 1,
      live_sessions: 1,
      cost_usd: '0.61',
      tokens: { output: 14 },
    });
    expect(body.posture).toEqual([expect.objectContaining({ reason: 'unknown_key' })]);
    expect(body.observed_with.users).toEqual([]);
    expect(body.observed_with.endpoints).toEqual([expect.objectContaining({ value: '10.0.1.44', events: 2 })]);
    expect(body.observed_with.agents).toEqual([expect.objectContaining({ value: 'Claude Code' })]);
    expect(body.usage_context.models).toEqual([
      expect.objectContaining({ value: 'claude-sonnet-4-6', cost_usd: '0.61' }),
    ]);
    expect(body.usage_context.sessions).toEqual([expect.objectContaining({ value: 'rogue', live: true })]);
    expect(body.known_comparables).toEqual([expect.objectContaining({ lane: KNOWN, name: 'dev key' })]);
    expect(body.response_path.credential_actions).toEqual(['register']);
    const trendEvents = body.trend.map((step: { events: number }) => step.events);
    expect(trendEvents.reduce((sum: number, events: number) => sum + events, 0)).toBe(2);
    expect((await api.get(`/v1/lanes/${'c'.repeat(64)}`)).status).toBe(404);
  });

  test('one lane says when it was seen first at all, and which bounds show the rows that it counts', async () => {
    const now = Date.now();
    const old = now - 400 * 24 * 3_600_000;
    const ahead = now + 30 * MINUTE_MS;
    await api.storeRows([old, now - 3_600_000, now, ahead].map((seen_at) => ({ fingerprint: UNKNOWN, seen_at })));
    const { body } = await api.get(`/v1/lanes/${UNKNOWN}`);
    expect(body).toMatchObject({
      events: 3,
      first_seen_ever: new Date(old).toISOString(),
      first_seen: new Date(now - 3_600_000).toISOString(),
      last_seen: new Date(ahead).toISOString(),
    });
    const { from, to } = body;
    expect((await api.get('/v1/ledger', { lane: UNKNOWN, from, to })).body.totals.events).toBe(3);
    expect(body.trend.reduce((sum: number, { events }: { events: number }) => sum + events, 0)).toBe(3);
    const plan = await api.store.rows<{ explain: string }>(
      `EXPLAIN projections = 1 ${firstSeenSql(api.store.database)}`,
      { lane: UNKNOWN },
    );
    expect(plan.map(({ explain }) => explain).join('\n')).toContain('ReadFromMergeTree (calls_by_day_and_lane)');
  });

  test('an endpoint names the column that holds it, so that its rows are those that it counts', async () => {
    const at = (count: number, parts: object) =>
      Array.from({ length: count }, () => ({ fingerprint: UNKNOWN, ...parts }));
    await api.storeRows([
      ...at(3, { ip: '10.0.1.44', host: 'laptop' }),
      ...at(2, { host: 'laptop' }),
      ...at(1, { host: '10.0.1.44' }),
      ...at(1, {}),
    ]);
    const { endpoints } = (await api.get(`/v1/lanes/${UNKNOWN}`)).body.observed_with;
    expect(endpoints).toHaveLength(3);
    for (const { value, column, events } of endpoints as { value: string; column: string; events: number }[]) {
      const rows = await api.get('/v1/ledger', { [column]: value, ...(column === 'host' ? { without: 'ip' } : {}) });
      expect([value, rows.body.totals.events]).toEqual([value, events]);
    }
    const { body } = await api.get('/v1/ledger', { without: ['ip', 'host'] });
    expect(body.totals.events).toBe(1);
    const status = async (query: Record<string, string>) => (await api.get('/v1/ledger', query)).status;
    expect(await status({ without: "ip` = '' OR 1=1 --" })).toBe(400);
    expect(await status({ without: 'status_code' })).toBe(200);
  });

  test('a lane without events in the window still has its page, with zeros', async () => {
    const seenAt = Date.now() - 40 * 24 * 3_600_000;
    await api.storeRows([{ fingerprint: UNKNOWN, seen_at: seenAt, session: 's', cost_nano_usd: 5 }]);
    const { status, body } = await api.get(`/v1/lanes/${UNKNOWN}`, { window: '24h' });
    expect(status).toBe(200);
    expect(body).toMatchObject({ events: 0, cost_usd: '0', first_seen: new Date(seenAt).toISOString() });
  });

  test('a hint that several registered keys share shows as ambiguous, never as known', async () => {
    const hint = 'sk-ant-...7B91';
    const lane = laneOf('', hint, 'qpoint-ci');
    await api.storeRows([{ hint, org: 'qpoint-ci', lane, standing: 'unknown' }]);
    const standingIs = async (): Promise<string> => (await api.get(`/v1/lanes/${lane}`)).body.standing;
    expect(await standingIs()).toBe('unknown');
    await api.post('/v1/credentials', { name: 'ci 1', hint, org: 'qpoint-ci' });
    expect(await standingIs()).toBe('known');
    await api.post('/v1/credentials', { name: 'ci 2', fingerprint: KNOWN, hint, org: 'qpoint-ci' });
    expect(await standingIs()).toBe('ambiguous');
  });
});

test('a hint and an org of different events do not make a lane known together', async () => {
  const hint = 'sk-ant-...7B91';
  const now = Date.now();
  await api.storeRows([
    { fingerprint: UNKNOWN, hint, seen_at: now - 2 },
    { fingerprint: UNKNOWN, org: 'qpoint-ci', seen_at: now - 1 },
  ]);
  await api.post('/v1/credentials', { name: 'ci', hint, org: 'qpoint-ci' });
  const seen = { lane: UNKNOWN, hint, org: 'qpoint-ci' };
  expect((await api.get('/v1/lanes')).body.items).toMatchObject([{ ...seen, standing: 'ambiguous' }]);
  await api.storeRows([{ fingerprint: UNKNOWN, hint, org: 'qpoint-ci', seen_at: now }]);
  expect((await api.get('/v1/lanes')).body.items).toMatchObject([{ ...seen, standing: 'known', match: 'probable' }]);
});

test('over each window every number of the landing and lane page is that of the rows that its link opens', async () => {
  // The shorter windows move on with every minute, and these reads may take longer than what is left of one.
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() });
  onTestFinished(() => void vi.useRealTimers());
  await storeExample();
  const now = Date.now();
  const ago = (days: number) => ({ fingerprint: KNOWN, seen_at: now - days * 86_400_000, standing: 'known' as const });
  await api.storeRows([
    { ...ago(0.01), user: 'cyd', session: 's1', repo: 'r1', cost_nano_usd: 5 },
    { ...ago(3), user: 'dan', session: 's2', host: 'h1', cost_nano_usd: 70_000_000 },
    { ...ago(6.9), user: 'eve', session: 's2', ip: '10.0.0.1', cost_nano_usd: 1_000_000_001 },
    { ...ago(20), user: 'fay', session: 's3', model: 'm1', cost_nano_usd: 3 },
    { ...ago(60), user: 'gil', session: 's4', agent: 'a1', cost_nano_usd: 9 },
    { ...ago(89.5), user: 'hal', session: 's5', cost_nano_usd: 11 },
    { fingerprint: 'f'.repeat(64), seen_at: now - 2 * 86_400_000, outcome: 'denied', session: 's6' },
  ]);
  for (const window of WINDOWS) {
    const overview = (await api.get('/v1/overview', { window })).body;
    const bounds = { from: overview.from, to: overview.to };
    const rowsOf = async (query: Record<string, string>) => (await api.get('/v1/ledger', { ...bounds, ...query })).body;
    const sumsOf = ({ events, cost_usd, sessions }: Record<string, unknown>) => ({ events, cost_usd, sessions });
    const all = await rowsOf({});
    expect([window, all.totals]).toMatchObject([window, { events: overview.events, cost_usd: overview.cost_usd }]);
    expect(overview.trend.reduce((sum: number, step: { events: number }) => sum + step.events, 0)).toBe(
      overview.events,
    );
    const { items: lanes, ...page } = (await api.get('/v1/lanes', { window })).body;
    expect(page.from).toBe(overview.from);
    expect((await api.get('/v1/lanes', { window, attributed: 'true' })).body.items).toHaveLength(
      overview.keys_observed,
    );
    for (const [reason, count] of [
      ['unknown_key', overview.unknown_lanes],
      ['refused', overview.refused_lanes],
    ])
      expect((await api.get('/v1/lanes', { window, reason })).body.items).toHaveLength(count);
    expect((await api.get('/v1/lanes', { window, shared: 'true' })).body.items).toHaveLength(overview.shared_lanes);
    const weak = await api.get('/v1/lanes', { window, reason: 'weakly_governed' });
    expect(weak.body.items).toHaveLength(overview.weakly_governed_lanes);
    for (const lane of lanes) {
      const rows = await rowsOf({ lane: lane.lane });
      expect([window, rows.totals]).toEqual([window, sumsOf(lane)]);
      const detail = (await api.get(`/v1/lanes/${lane.lane}`, { window })).body;
      expect(sumsOf(detail)).toEqual(sumsOf(lane));
      for (const [column, count, nodes] of [
        ['user', lane.users, detail.observed_with.users],
        ['agent', lane.agents, detail.observed_with.agents],
        ['repo', lane.repos, detail.usage_context.repos],
        ['model', lane.models, detail.usage_context.models],
        ['session', lane.sessions, detail.usage_context.sessions],
      ] as const) {
        const values = rows.items
          .map((row: Record<string, string>) => row[column])
          .filter((value: string) => value !== '');
        expect([window, column, count]).toEqual([window, column, new Set(values).size]);
        for (const { value, events, cost_usd } of nodes)
          expect((await rowsOf({ lane: lane.lane, [column]: value })).totals).toMatchObject({ events, cost_usd });
      }
    }
  }
});

test('a page has as many lanes as it may, more than one request to the engine names', async () => {
  const keys = Array.from({ length: 120 }, (_, index) => index.toString(16).padStart(64, '0'));
  await api.storeRows(keys.map((fingerprint) => ({ fingerprint, seen_at: Date.now(), session: 's1' })));
  const { items } = (await api.get('/v1/lanes', { limit: '200', sort: 'sessions' })).body;
  expect(items.filter(({ sessions }: { sessions: number }) => sessions === 1)).toHaveLength(keys.length);
});

test('counts are never those of facts that the engine has lost', async () => {
  await storeExample();
  const facts = createLaneFacts({
    ...{ store: api.store, version: () => Promise.resolve(1), now: Date.now, isShared: true },
    onFault: (error) => expect.fail(String(error)),
  });
  const read = () => facts.use('7d', (used) => readFigures(api.store, used));
  const before = await read();
  await api.store.fill(`TRUNCATE TABLE ${api.store.database}.lane_facts`, {});
  expect(await read()).toEqual(before);
  expect(before.keys).toBeGreaterThan(0);
});

describe('what windows of days sum over lanes', () => {
  const now = Date.now();
  const database = 'DATABASE';
  const facts = factsReadAnew(database, { window: '7d', nowMs: now, lastStoredMs: null, registryVersion: 0 });
  const lanesPage = (query: object) => lanesPageSql(database, lanesQuerySchema.parse(query), facts).sql;
  const scope = { where: `lane IN {lanes:Array(String)} AND ${windowScope('7d', now).where}` };
  test.each([
    ['counts of strip and banner', figuresSql(facts)],
    ['sessions of unknown keys', unknownSessionsSql(database, facts)],
    ['trend of the counts', countTrendSql(database, facts)],
    ['trend of all lanes', trendSql(database, '7d', now, false)],
    ['trend of one lane', trendSql(database, '7d', now, true)],
    ['sharing of a lane over time', sharingSql(database, '7d', now)],
    ['when a lane was seen first', firstSeenSql(database)],
    ['lanes by name', laneRowsSql(database, scope)],
    ['what only the lanes of a page are read for', shownSql(database, windowScope('7d', now))],
    ['a page of lanes by sessions', lanesPage({ sort: 'sessions' })],
    ['a page of lanes by every filter', lanesPage({ standing: 'known', shared: 'true', org: 'x', q: 'y' })],
  ])('%s is read from the roll-up by day, not from rows', async (_what, sql) => {
    await storeExample();
    const parameters = {
      ...windowScope('7d', now).parameters,
      ...lanesParameters(now),
      ...{ lane: UNKNOWN, lanes: [UNKNOWN, KNOWN], org: '', provider: '', rows: 50 },
      ...{ f_standing: 'known', f_org: 'x', f_needle: 'y' },
    };
    const ownSql = sql.replaceAll(database, api.store.database);
    const plan = await api.store.rows<{ explain: string }>(`EXPLAIN projections = 1 ${ownSql}`, parameters);
    const reads = plan.map(({ explain }) => explain).filter((line) => line.includes('ReadFromMergeTree'));
    expect(reads.length).toBeGreaterThan(0);
    for (const read of reads) expect(read).toMatch(/\(calls_by_day_and_lane\)/);
    await api.store.rows(`${ownSql} SETTINGS force_optimize_projection = 1`, parameters);
  });
});

describe('ledger', () => {
  test('pages show every row that was there once, in order, while new rows arrive between pages', async () => {
    const base = Date.now() - 3_600_000;
    const ids = Array.from({ length: 60 }, (_, index) => `row-${String(index).padStart(2, '0')}`);
    // Many rows share a millisecond, so that the place on the bus has to tell them apart.
    await api.storeRows(ids.map((id, index) => ({ id, fingerprint: UNKNOWN, seen_at: base + Math.floor(index / 7) })));
    const seen: string[] = [];
    let cursor: string | null = null;
    let pages = 0;
    do {
      const query: Record<string, string> = cursor === null ? { limit: '7' } : { limit: '7', cursor };
      const { body } = await api.get('/v1/ledger', query);
      // Counted once, for the first page: what follows would count the same rows again.
      if (cursor === null) expect(body.totals.events).toBe(ids.length);
      else expect(body.totals).toBeNull();
      seen.push(...body.items.map(({ id }: { id: string }) => id));
      cursor = body.next_cursor;
      // Newer rows, rows in the middle and rows at the very place of the cursor.
      await api.storeRows([
        { id: `new-${pages}`, fingerprint: UNKNOWN, seen_at: Date.now() },
        { id: `late-${pages}`, fingerprint: UNKNOWN, seen_at: base + 3 },
      ]);
      pages++;
    } while (cursor !== null && pages < 40);
    expect(cursor).toBeNull();
    const ours = seen.filter((id) => id.startsWith('row-'));
    expect(ours).toEqual([...ids].reverse());
    expect(new Set(seen).size).toBe(seen.length);
  });

  test('rows come back as they were stored, money and large counts exact', async () => {
    const seenAt = Date.UTC(2026, 10, 20, 12, 0, 0, 123);
    await api.storeRows([
      {
        id: 'exact',
        fingerprint: UNKNOWN,
        seen_at: seenAt,
        cost_nano_usd: 8_999_999_123_456_789,
        tokens_cache_read: 9_007_199_254_740_991,
        flags: ['redacted'],
        findings: ['f1'],
        user: `Robert'); DROP TABLE ledger;--`,
      },
    ]);
    const { body } = await api.get('/v1/ledger', { id: 'exact' });
    expect(body.items).toEqual([
      expect.objectContaining({
        seen_at: '2026-11-20T12:00:00.123Z',
        cost_usd: '8999999.123456789',
        tokens_cache_read: 9_007_199_254_740_991,
        flags: ['redacted'],
        findings: ['f1'],
        user: `Robert'); DROP TABLE ledger;--`,
      }),
    ]);
    expect((await api.get('/v1/ledger', { flag: 'redacted' })).body.totals.events).toBe(1);
    expect((await api.get('/v1/ledger', { finding: 'f1' })).body.totals.events).toBe(1);
    expect((await api.get('/v1/ledger', { finding: 'f2' })).body.totals.events).toBe(0);
  });

  test('time bounds include the start and exclude the end, in any offset', async () => {
    const seenAt = Date.UTC(2026, 10, 20, 12);
    await api.storeRows([{ fingerprint: UNKNOWN, seen_at: seenAt }]);
    const events = async (query: Record<string, string>): Promise<number> =>
      (await api.get('/v1/ledger', query)).body.totals.events;
    expect(await events({ from: '2026-11-20T12:00:00Z' })).toBe(1);
    expect(await events({ from: '2026-11-20T13:00:00+01:00' })).toBe(1);
    expect(await events({ to: '2026-11-20T12:00:00Z' })).toBe(0);
    expect(await events({ to: '2026-11-20T12:00:00.001Z' })).toBe(1);
    expect(await events({ from: '0001-01-01T00:00:00Z', to: '9999-12-31T23:59:59Z' })).toBe(1);
    expect(await events({ from: '9999-12-31T23:59:59Z' })).toBe(0);
    expect(await events({ to: '0001-01-01T00:00:00Z' })).toBe(0);
  });
});
