import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { USAGE_MEASURES } from '../../contract/index.ts';
import type { Usage } from '../../contract/index.ts';
import { engineOf, startHarness } from '../testing/harness.ts';
import type { Harness } from '../testing/harness.ts';

const NOW_MS = Date.UTC(2026, 10, 28, 12, 30);
const DAY_MS = 86_400_000;
const [KEY, OTHER] = ['a'.repeat(64), 'b'.repeat(64)];

let api: Harness;
beforeAll(async () => {
  api = await startHarness({ engine: engineOf(inject('clickhouseServer')), now: () => NOW_MS });
  const at = (daysAgo: number) => ({ seen_at: NOW_MS - daysAgo * DAY_MS });
  await api.storeRows([
    { fingerprint: KEY, module: 'agents', agent: 'codex', ...at(0) },
    { fingerprint: KEY, module: 'agents', agent: 'codex', outcome: 'denied', ...at(1) },
    { fingerprint: KEY, module: 'agents', action: 'access', ...at(1) },
    { fingerprint: OTHER, module: 'workflows', outcome: 'failed', environment: 'production', ...at(2) },
    { module: '', agent: 'cron', action: 'access', outcome: 'denied', ...at(6) },
    { fingerprint: OTHER, module: 'agents', ...at(7) },
    // Of another report of a call above, which was taken back.
    { module: 'agents', agent: 'seen twice', ...at(0) },
    { module: 'agents', agent: 'seen twice', calls: -1, joins: '[["proxy","1"]]', ...at(0) },
    // Of a clock that is ahead: in no count, and not behind the links of any.
    { fingerprint: OTHER, module: 'agents', seen_at: NOW_MS + 60_000 },
  ]);
});
afterAll(() => api.close());

/** What the ledger says of the same filters, as the page links them. */
const FILTERS = {
  calls: {},
  executions: { action: 'execution' },
  failed_authentications: { outcome: 'denied' },
  agent_calls: { q: '-agent:""' },
} as const;
const rowsOf = async (filter: Record<string, string>): Promise<number> =>
  (await api.get('/v1/ledger/totals', filter)).body.events;

test('every count equals the rows that its link opens, in all, by value and over time', async () => {
  const usage = (await api.get('/v1/usage', { window: '7d' })).body as Usage;
  const { from, to } = usage;
  expect(usage.total).toEqual({ calls: 5, executions: 3, failed_authentications: 2, agent_calls: 3, keys: 2 });
  for (const measure of USAGE_MEASURES) {
    expect([measure, await rowsOf({ from, to, ...FILTERS[measure] })]).toEqual([measure, usage.total[measure]]);
    expect(usage.steps[measure].reduce((sum, count) => sum + count, 0)).toBe(usage.total[measure]);
    for (const by of ['lane', 'module', 'agent'] as const) {
      const { rows, values } = usage.by[by];
      expect([by, values]).toEqual([by, rows.length]);
      expect(rows.reduce((sum, row) => sum + row[measure], 0)).toBe(usage.total[measure]);
      for (const row of rows) {
        const value = row.value === '' ? { without: by } : { [by]: row.value };
        expect([by, row.value, await rowsOf({ from, to, ...FILTERS[measure], ...value })]).toEqual([
          ...[by, row.value, row[measure]],
        ]);
        expect(row.steps[measure].reduce((sum, count) => sum + count, 0)).toBe(row[measure]);
      }
    }
  }
  expect(usage.starts).toHaveLength(7);
  expect(usage.steps.calls).toEqual([1, 0, 0, 0, 1, 2, 1]);
});

test('module, environment and bounds narrow it, and bounds the wrong way round are refused', async () => {
  const calls = async (query: Record<string, string>): Promise<number> =>
    (await api.get('/v1/usage', query)).body.total.calls;
  expect([await calls({ module: 'agents' }), await calls({ environment: 'production' })]).toEqual([3, 1]);
  const from = new Date(NOW_MS - 2 * DAY_MS).toISOString();
  expect(await calls({ from, to: new Date(NOW_MS).toISOString() })).toBe(3);
  expect((await api.get('/v1/usage', { from, to: from })).status).toBe(400);
});
