import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { SPEND_DIMENSIONS, segmentOf } from '../contract/index.ts';
import type { Spend, SpendDimension } from '../contract/index.ts';
import { sumDollars } from './ledger/money.ts';
import { periodOf } from './spend/period.ts';
import { rowsSql, shownSql, stepSql } from './spend/sql.ts';
import { engineOf, startHarness } from './testing/harness.ts';
import type { Harness } from './testing/harness.ts';

const KNOWN = 'a'.repeat(64);
const UNKNOWN = 'b'.repeat(64);
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

let api: Harness;
let nowMs: number;
beforeAll(async () => {
  api = await startHarness({ engine: engineOf(inject('clickhouseServer')) });
  nowMs = Date.now();
  const issued = await api.post('/v1/credentials', {
    ...{ name: 'dev key', fingerprint: KNOWN, hint: 'sk-ant-...A3F2', org: 'acme', owner: 'ada', project: 'shop' },
    ...{ environment: 'development', budget: { amount_usd: '100', period: 'month' } },
  });
  expect(issued.status).toBe(201);
  const known = {
    ...{ fingerprint: KNOWN, hint: 'sk-ant-...A3F2', org: 'acme', standing: 'known' as const },
    credential_id: issued.body.credential.id as string,
  };
  const unknown = { fingerprint: UNKNOWN, hint: 'sk-ant-...C001', standing: 'unknown' as const };
  // A long tail of people, so that not every value is a row.
  const many = Array.from({ length: 130 }, (_, index) => ({
    ...known,
    ...{
      user: `person-${index}`,
      model: 'claude-haiku-4-5',
      cost_nano_usd: 1e7 + index,
      cost_basis: 'estimated' as const,
    },
    ...{ seen_at: nowMs - (index % 6) * DAY_MS - 60_000, tokens_input_uncached: 1_000, tokens_output: 10 },
  }));
  await api.storeRows([
    ...many,
    {
      ...known,
      user: 'ada',
      repo: 'github.com/acme/shop',
      cost_nano_usd: 3e9,
      cost_basis: 'reported',
      seen_at: nowMs - 2 * HOUR_MS,
    },
    {
      ...unknown,
      user: 'bob',
      agent: 'codex',
      environment: 'production',
      cost_nano_usd: 2e9,
      cost_basis: 'estimated',
      seen_at: nowMs - HOUR_MS,
    },
    { standing: 'unattributed', user: '~odd', cost_nano_usd: 5e8, cost_basis: 'reported', seen_at: nowMs - HOUR_MS },
    { standing: 'unattributed', cost_nano_usd: 0, cost_basis: 'none', seen_at: nowMs - HOUR_MS },
    // In the week before, and long ago.
    { ...known, user: 'ada', cost_nano_usd: 7e9, cost_basis: 'reported', seen_at: nowMs - 9 * DAY_MS },
    { ...known, user: 'ada', cost_nano_usd: 9e9, cost_basis: 'reported', seen_at: nowMs - 80 * DAY_MS },
  ]);
});
afterAll(() => api.close());

const spend = async (query: Record<string, string | string[]>): Promise<Spend> => {
  const { status, body } = await api.get('/v1/spend', query as Record<string, string>);
  expect([query, status]).toEqual([query, 200]);
  return body as Spend;
};

/** All parts of an answer: rows, and what is beyond them. */
const partsOf = ({ rows, others }: Spend) => [...rows, ...(others === null ? [] : [others])];

test('by every dimension and in every window, rows, bases and series add up to the rows of the ledger', async () => {
  for (const by of SPEND_DIMENSIONS) {
    for (const window of ['24h', '90d']) {
      const answer = await spend({ by, window });
      const { from, to, total, series } = answer;
      const { totals } = (await api.get('/v1/ledger', { from, to })).body;
      const parts = partsOf(answer);
      expect([by, window, total.calls, total.cost_usd]).toEqual([by, window, totals.events, totals.cost_usd]);
      expect(sumDollars(parts.map(({ cost_usd }) => cost_usd))).toBe(total.cost_usd);
      expect(parts.reduce((sum, { calls }) => sum + calls, 0)).toBe(total.calls);
      expect(sumDollars([total.basis!.reported_usd, total.basis!.estimated_usd])).toBe(total.cost_usd);
      for (const part of parts)
        expect(sumDollars([part.basis!.reported_usd, part.basis!.estimated_usd])).toBe(part.cost_usd);
      expect(sumDollars(series.values.flatMap(({ cost_usd }) => cost_usd))).toBe(total.cost_usd);
      for (const { value, cost_usd } of series.values) {
        if (value !== null) expect(sumDollars(cost_usd)).toBe(answer.rows.find((row) => row.value === value)!.cost_usd);
      }
    }
  }
});

test('unknown keys, events without a key, calls without a price and the time before are told apart', async () => {
  const answer = await spend({ by: 'user', window: '7d' });
  expect(answer.unknown).toEqual({ cost_usd: '2', calls: 1 });
  expect(answer.unattributed).toEqual({ cost_usd: '0.5', calls: 2 });
  expect(answer.total).toMatchObject({ basis: { unpriced_calls: 1 }, previous_usd: '7' });
  expect(answer.rows[0]).toMatchObject({ value: 'ada', cost_usd: '3', previous_usd: '7' });
  expect(answer.others).toMatchObject({ values: 34, previous_usd: '0' });
});

test('every row can be filtered by, whatever its value, and opens the ledger’s rows', async () => {
  for (const by of SPEND_DIMENSIONS) {
    const { rows, from, to } = await spend({ by });
    for (const row of rows.filter((_, index) => index < 4)) {
      const value = decodeURIComponent(segmentOf(row.value));
      const drilled = await spend({ by: 'model', [by]: value });
      expect([by, value, drilled.total.cost_usd, drilled.total.calls]).toEqual([by, value, row.cost_usd, row.calls]);
      const isColumn = !['project', 'team', 'owner'].includes(by);
      if (!isColumn && row.credential_ids === null) continue;
      const filter = !isColumn
        ? { credential_id: row.credential_ids! }
        : row.value === ''
          ? { without: by }
          : { [by]: row.value };
      const { totals } = (await api.get('/v1/ledger', { ...filter, from, to } as Record<string, string>)).body;
      expect([by, value, totals.cost_usd, totals.events]).toEqual([by, value, row.cost_usd, row.calls]);
    }
  }
});

test('bounds given narrow it to the same rows, whole days from roll-ups and hours from rows alike', async () => {
  const midnight = Math.floor(nowMs / DAY_MS) * DAY_MS;
  const at = (ms: number): string => new Date(ms).toISOString();
  for (const [from, to] of [
    [midnight - 3 * DAY_MS, midnight - DAY_MS],
    [midnight - 3 * DAY_MS + HOUR_MS, midnight - DAY_MS],
  ] as const) {
    const { total } = await spend({ by: 'lane', from: at(from), to: at(to) });
    const { totals } = (await api.get('/v1/ledger', { from: at(from), to: at(to) })).body;
    expect([total.calls, total.cost_usd]).toEqual([totals.events, totals.cost_usd]);
  }
  expect((await api.get('/v1/spend', { from: at(midnight), to: at(midnight - 1) })).status).toBe(400);
});

test.each([
  ['lane', {}],
  ['standing', { lane: [KNOWN], project: ['shop', ''] }],
  ['project', { owner: ['ada'] }],
  ['team', { standing: ['known'] }],
  ['user', { lane: [KNOWN], owner: ['ada'] }],
  ['repo', { org: ['acme'], environment: [''] }],
  ['model', { agent: ['codex'], standing: ['unknown'] }],
] as [SpendDimension, object][])(
  'windows of days by %s, filtered by %o, are read from a roll-up by day',
  async (by, scope) => {
    const period = periodOf({ window: '7d', from: undefined, to: undefined }, nowMs);
    const source = { database: api.store.database, by, scope, period, isRolledUp: true };
    for (const { sql, parameters } of [rowsSql(source), shownSql(source, ['x'], { step: stepSql(source) })]) {
      // By its plan: to force a projection would ask one of the registry's copy, too.
      const plan = await api.store.rows<{ explain: string }>(`EXPLAIN projections = 1 ${sql}`, parameters);
      const reads = plan.map(({ explain }) => explain).filter((line) => line.includes('ReadFromMergeTree'));
      expect(reads.filter((read) => /\((calls|spend)_by_day_and_\w+\)/.test(read))).toHaveLength(1);
      expect(reads.filter((read) => read.includes('.ledger)'))).toEqual([]);
    }
  },
);

test('the month’s forecast, budgets and savings are of the same rows', async () => {
  const { body: forecast } = await api.get('/v1/spend/forecast', { lane: KNOWN });
  expect(forecast).toMatchObject({ forecast_usd: expect.any(String), weeks: 4 });
  expect(forecast.budget_usd).toBe('100');
  const today = new Date(nowMs).getUTCDate();
  expect(forecast.days[today - 1].spent_usd).toBe(forecast.spent_usd);
  expect(forecast.days.at(-1).expected_usd).toBe(forecast.forecast_usd);
  expect((await api.get('/v1/spend/forecast')).body.budget_usd).toBeNull();
  const { body: budgets } = await api.get('/v1/spend/budgets');
  expect(budgets.keys).toMatchObject([{ name: 'dev key', budget_usd: '100', period: 'month' }]);
  expect(budgets.projects).toMatchObject([{ project: 'shop', keys: 1, used_usd: budgets.keys[0].used_usd }]);
  expect(budgets.keys[0].used_usd).toBe(forecast.spent_usd);
  const { body: savings } = await api.get('/v1/spend/savings', { switch_to: 'claude-sonnet-4-5' });
  expect(savings.models).toMatchObject(
    [{ model: 'claude-haiku-4-5', calls: 130, switch_to: undefined }].map(({ model, calls }) => ({ model, calls })),
  );
  expect(Number(savings.models[0].switch_saves_usd)).toBeLessThan(0);
});
