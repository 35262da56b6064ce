import type { ProviderTotal } from '@lanewatch/detector/contract';
import { afterEach, expect, test } from 'vitest';
import type { ClickHouse } from '../clickhouse.ts';
import type { RegisterParts } from '../registry/register.ts';
import { snapshotOf } from '../registry/view.ts';
import type { RegistryView } from '../registry/view.ts';
import { anthropicAdmin } from './anthropic.ts';
import { importJobs } from './jobs.ts';
import { importKeys } from './keys.ts';
import { openaiAdmin } from './openai.ts';
import { AdminApiError } from './provider.ts';
import type { AdminApi, ProviderKey } from './provider.ts';
import { anthropicKey, fakeProvider, openaiKey, type Answered } from './testing.ts';
import { importTotals } from './totals.ts';

const KEY = 'sk-ant-admin01-secret';
const NOW = Date.parse('2026-11-20T12:00:00Z');
const DAY_MS = 86_400_000;
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function provider(make: typeof anthropicAdmin, answer: Parameters<typeof fakeProvider>[0]) {
  const fake = await fakeProvider(answer);
  closing.push(fake.close);
  const waits: number[] = [];
  return { ...fake, waits, api: make({ url: fake.url, key: KEY }, async (ms) => void waits.push(ms)) };
}
const list = (data: object[], more: { last_id: string } | null = null): Answered => [
  200,
  { data, first_id: 'first', has_more: more !== null, last_id: more?.last_id ?? null },
];

test('Anthropic’s keys are read page by page, with the people and workspaces that they name', async () => {
  const { api, asked } = await provider(anthropicAdmin, (url, headers) => {
    expect(headers).toMatchObject({ 'x-api-key': KEY, 'anthropic-version': '2023-06-01' });
    if (url.pathname.endsWith('/users'))
      return list([{ id: 'user_01WCz1FkmYMm4gnmykNKUu3Q', email: 'ada@example.com' }]);
    if (url.pathname.endsWith('/workspaces')) return [403, { type: 'error' }];
    return url.searchParams.get('after_id') === null
      ? list([anthropicKey()], { last_id: 'apikey_01Rj2N8SVvo6BePZj99NhmiT' })
      : list([anthropicKey({ id: 'apikey_2', status: 'inactive', partial_key_hint: null, created_by: null })]);
  });
  expect(await api.keys()).toEqual([
    {
      ...{
        id: 'apikey_01Rj2N8SVvo6BePZj99NhmiT',
        name: 'Developer Key',
        hint: 'sk-ant-api03-R2D...igAA',
        isActive: true,
      },
      ...{ owner: 'ada@example.com', ownerKind: 'person', project: '', expiresAt: null },
    },
    expect.objectContaining({ id: 'apikey_2', hint: '', isActive: false, owner: '' }),
  ]);
  expect(asked.filter(({ pathname }) => pathname.endsWith('/api_keys')).map(({ search }) => search)).toEqual([
    '?limit=1000',
    '?limit=1000&after_id=apikey_01Rj2N8SVvo6BePZj99NhmiT',
  ]);
});

test('OpenAI’s keys are read project by project, and its administrators’ beside them', async () => {
  const service = { type: 'service_account', name: 'My Service Account' };
  const { api } = await provider(openaiAdmin, (url, headers) => {
    expect(headers['authorization']).toBe(`Bearer ${KEY}`);
    if (url.pathname.endsWith('/projects'))
      return list([
        { id: 'proj_1', name: 'Shop' },
        { id: 'proj_2', status: 'archived' },
      ]);
    if (url.pathname.endsWith('/admin_api_keys'))
      return list([openaiKey({ id: 'key_admin', redacted_value: 'sk-admin...def', owner: service })]);
    return url.pathname.includes('proj_1') ? list([openaiKey()]) : [500, {}];
  });
  expect(
    (await api.keys()).map(({ id, hint, owner, ownerKind, project }) => [id, hint, owner, ownerKind, project]),
  ).toEqual([
    ['key_abc', 'sk-abc...def', 'user@example.com', 'person', 'Shop'],
    ['key_admin', 'sk-admin...def', 'My Service Account', 'service_account', ''],
  ]);
});

test('what providers counted is told by key, model and day in four counts that do not overlap', async () => {
  const anthropic = await provider(anthropicAdmin, (url) => {
    const result = {
      ...{
        api_key_id: 'apikey_1',
        model: 'claude-opus-4-1',
        uncached_input_tokens: 1_500,
        cache_read_input_tokens: 200,
      },
      ...{ cache_creation: { ephemeral_1h_input_tokens: 1_000, ephemeral_5m_input_tokens: 500 }, output_tokens: 500 },
    };
    const isFirst = url.searchParams.get('page') === null;
    const results = isFirst ? [result, { ...result, api_key_id: null }] : [result];
    const day = isFirst ? '2026-11-18T00:00:00Z' : '2026-11-19T00:00:00Z';
    return [200, { data: [{ starting_at: day, results }], has_more: isFirst, next_page: isFirst ? 'page_2' : null }];
  });
  const usage = await anthropic.api.usage(NOW - 2 * DAY_MS, NOW);
  const counts = { inputUncached: 1_500, cacheRead: 200, cacheWrite: 1_500, output: 500, model: 'claude-opus-4-1' };
  // What was used in the Console is no key's, and of the day's whole all the same.
  const used = [
    ['apikey_1', '2026-11-18'],
    ['', '2026-11-18'],
    ['apikey_1', '2026-11-19'],
  ];
  expect(usage).toEqual(used.map(([keyId, day]) => ({ keyId, day, ...counts })));
  expect(anthropic.asked[0]?.searchParams.getAll('group_by[]')).toEqual(['api_key_id', 'model']);

  const openai = await provider(openaiAdmin, () => {
    const result = {
      api_key_id: 'key_abc',
      model: 'gpt-5',
      input_tokens: 1_000,
      input_cached_tokens: 900,
      output_tokens: 10,
    };
    return [200, { data: [{ start_time: NOW / 1000, results: [result] }], has_more: false, next_page: null }];
  });
  expect(await openai.api.usage(NOW - DAY_MS, NOW)).toEqual([
    {
      ...{ keyId: 'key_abc', day: '2026-11-20', model: 'gpt-5' },
      inputUncached: 100,
      cacheRead: 900,
      cacheWrite: 0,
      output: 10,
    },
  ]);
});

test('what providers billed for tokens is told by day, in dollars, without what else they bill', async () => {
  const anthropic = await provider(anthropicAdmin, ({ pathname }) => {
    expect(pathname).toBe('/v1/organizations/cost_report');
    const results = [
      {
        amount: '123.45',
        currency: 'USD',
        cost_type: 'tokens',
        model: 'claude-opus-4-1',
        description: 'Claude Opus 4.1',
      },
      { amount: '1000', currency: 'USD', cost_type: 'web_search', description: 'Web Search Usage' },
    ];
    return [200, { data: [{ starting_at: '2026-11-19T00:00:00Z', results }], has_more: false, next_page: null }];
  });
  expect(await anthropic.api.costs(NOW - DAY_MS, NOW, new Set())).toEqual([{ day: '2026-11-19', usd: 1.2345 }]);

  const openai = await provider(openaiAdmin, ({ pathname }) => {
    expect(pathname).toBe('/v1/organization/costs');
    const line = (line_item: string | null, value: number) => ({ amount: { value, currency: 'usd' }, line_item });
    const results = [
      line('gpt-5-2025-08-07, input', 0.5),
      line('gpt-5-2025-08-07, output', 2),
      line('Image models', 9),
    ];
    return [200, { data: [{ start_time: NOW / 1000, results: [...results, line(null, 7)] }], next_page: null }];
  });
  expect(await openai.api.costs(NOW - DAY_MS, NOW, new Set(['gpt-5', '']))).toEqual([
    { day: '2026-11-20', usd: 0.5 },
    { day: '2026-11-20', usd: 2 },
  ]);
});

test('a refused key is told at once and without it; too many requests are tried again as late as is asked', async () => {
  const refused = await provider(anthropicAdmin, () => [401, { error: { message: KEY } }]);
  const error: Error = await refused.api.keys().then(
    () => expect.fail('it was refused'),
    (reason: Error) => reason,
  );
  expect(error.message).toMatch(/anthropic refused the admin key with 401/);
  expect(error.message).not.toContain(KEY);
  expect(refused.asked).toHaveLength(1);

  const busy = await provider(anthropicAdmin, () =>
    busy.asked.length < 3 ? [429, {}, { 'retry-after': '7' }] : list([]),
  );
  expect(await busy.api.keys()).toEqual([]);
  expect(busy.waits).toEqual([7_000, 7_000]);
  const down = await provider(anthropicAdmin, () => [500, {}]);
  await expect(down.api.keys()).rejects.toThrow(/answered .* with 500/);
  const other = await provider(anthropicAdmin, () => [200, { data: [{ id: 1 }], has_more: false }]);
  await expect(other.api.keys()).rejects.toThrow(/another form than is known, at data\.0\.id/);
});

test('keys whose owners could not be read are not told without them, and pages without an end are a fault', async () => {
  const down = await provider(anthropicAdmin, ({ pathname }) =>
    pathname.endsWith('/users') ? [500, {}] : list([anthropicKey()]),
  );
  await expect(down.api.keys()).rejects.toThrow(/users with 500/);
  const endless = await provider(openaiAdmin, ({ searchParams }) =>
    list([], { last_id: `${Number(searchParams.get('after') ?? 0) + 1}` }),
  );
  await expect(endless.api.keys()).rejects.toThrow(/beyond 1000 pages/);
});

test('a provider that does not answer stops no other, and the run says so', async () => {
  const read: string[] = [];
  const own = await provider(openaiAdmin, ({ pathname }) => (read.push(pathname), list([])));
  const refusing = await provider(anthropicAdmin, () => [401, {}]);
  const access = { anthropic: { url: refusing.url, key: KEY }, openai: { url: own.url, key: KEY } };
  const [keys] = importJobs({
    ...{ settings: { access, org: '', registers: false }, now: () => NOW, db: null as never, modules: [] },
    registry: { current: () => Promise.resolve(snapshotOf(0, [])) } as RegistryView,
    store: { database: 'test', rows: () => Promise.resolve([]) } as unknown as ClickHouse,
    onFault: () => undefined,
  });
  const said = /anthropic refused the admin key.* openai: 0 new, 0 there already/;
  await expect(keys!.run(null as never)).rejects.toThrow(said);
  expect(read).toContain('/v1/organization/projects');
});

const told = (changes: Partial<ProviderKey>): ProviderKey => ({
  ...{
    id: 'apikey_1',
    name: 'Nightly',
    hint: 'sk-ant-api03-R2D...igAA',
    isActive: true,
    owner: '',
    ownerKind: '',
    project: '',
  },
  expiresAt: null,
  ...changes,
});
const apiOf = (keys: ProviderKey[], usage: AdminApi['usage'] = () => Promise.resolve([])): AdminApi => ({
  keys: () => Promise.resolve(keys),
  usage,
  costs: () => Promise.reject(new AdminApiError('it may not read these', true)),
});

test('a dry run says what each key would become: by the fingerprint of the one lane that it is used on, else by hint and org', async () => {
  const fingerprint = 'a'.repeat(64);
  const lane = { hint: 'sk-ant-api03-R2D...igAA', lane: fingerprint, fingerprint, events: 5, cost: '1.5' };
  const two = ['b', 'c'].map((sign) => ({
    ...lane,
    hint: 'sk-ant-api03-TWO...igAA',
    lane: sign.repeat(64),
    fingerprint: sign.repeat(64),
  }));
  const store = { database: 'test', rows: () => Promise.resolve([lane, ...two]) } as unknown as ClickHouse;
  const parts = { db: null as never, store, modules: [], nowMs: NOW, onFault: () => undefined } satisfies RegisterParts;
  const keys = [
    told({}),
    told({
      id: 'apikey_2',
      name: `"Quoted", ${'sk-ant-api03-'}${'a1B2'.repeat(23)}xAA`,
      hint: 'sk-ant-api03-TWO...igAA',
    }),
    told({ id: 'apikey_3', isActive: false }),
    told({ id: 'apikey_4', hint: '' }),
  ];
  const request = { api: apiOf(keys), provider: 'anthropic' as const, org: 'acme', dryRun: true, actor: 'ada' };
  const { imported, inactive, hidden, lanes } = await importKeys({ ...parts, snapshot: snapshotOf(0, []) }, request);
  expect(imported.items.map(({ outcome, name, fingerprint: own }) => [outcome, name, own])).toEqual([
    ['registered', 'Nightly', fingerprint],
    ['registered', 'apikey_2', ''],
  ]);
  expect({ inactive, hidden, lanes }).toEqual({
    ...{ inactive: 1, hidden: 1 },
    lanes: [{ line: 2, lane: fingerprint, events: 5, cost_usd: '1.5' }],
  });
});

test('what was counted of a registered key is stored a day at a time; of two with one masked form nobody knows whose it is', async () => {
  const written: ProviderTotal[] = [];
  const store = {
    writeProviderTotals: async (totals: ProviderTotal[]) => void written.push(...totals),
  } as unknown as ClickHouse;
  const row = (id: string, hint: string) => ({
    id,
    hint,
    provider: 'anthropic',
    fingerprint: '',
    record_key: `hint_${id}`,
    version: 1,
  });
  const rows = [
    row('cred_1', 'sk-ant-api03-R2D...igAA'),
    row('cred_2', 'sk-ant-api03-TWO...igAA'),
    row('cred_3', 'sk-ant-api03-TWO...igAA'),
  ];
  const keys = [told({}), told({ id: 'apikey_2', hint: 'sk-ant-api03-TWO...igAA' })];
  const use = {
    day: '2026-11-19',
    model: 'claude-sonnet-4-5',
    inputUncached: 1_000_000,
    cacheRead: 0,
    cacheWrite: 0,
    output: 0,
  };
  const usage = ['apikey_1', 'apikey_1', 'apikey_2', 'unknown'].map((keyId) => ({ keyId, ...use }));
  let asked: [number, number] | null = null;
  const api = apiOf(keys, async (...days) => ((asked = days), usage));
  const parts = { store, snapshot: snapshotOf(0, rows as never), nowMs: NOW };
  expect(await importTotals(parts, { api, provider: 'anthropic' })).toBe(1);
  expect(written).toEqual([
    {
      credential_id: 'cred_1',
      provider: 'anthropic',
      day: '2026-11-19',
      billed_usd: expect.stringMatching(/^6(\.0+)?$/),
    },
  ]);
  expect(asked).toEqual([Date.UTC(2026, 10, 13), Date.UTC(2026, 10, 20)]);

  // Four uses at 3 dollars each were billed with 6 together: of the two of this key half.
  const costs = [2, 4].map((usd) => ({ day: '2026-11-19', usd }));
  await importTotals(parts, { api: { ...api, costs: () => Promise.resolve(costs) }, provider: 'anthropic' });
  expect(Number(written.at(-1)!.billed_usd)).toBe(3);
});
