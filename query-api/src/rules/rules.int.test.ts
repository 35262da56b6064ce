import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { RULE_CATALOGUE, ruleSettingsSchema } from '@lanewatch/detector/contract';
import type { BacktestRequest, BacktestResult, RuleSettings } from '@lanewatch/detector/contract';
// What a detector leaves behind is written by its own code: a copy here would drift.
import { backtestsTable } from '../../../detector/src/backtest/backtests-table.ts';
import { connect } from '../../../detector/src/ledger/clickhouse.ts';
import type { RuleItem } from '../../contract/index.ts';
import { engineOf, startHarness, until } from '../testing/harness.ts';
import type { Harness } from '../testing/harness.ts';
import { finding } from '../testing/registry.ts';

let api: Harness;
const published: RuleSettings[] = [];
beforeAll(async () => {
  api = await startHarness({ engine: engineOf(inject('clickhouseServer')) });
  await api.bus.followLatest('lanewatch.rules.v1', ({ value }) => {
    published.push(ruleSettingsSchema.parse(JSON.parse(value.toString('utf8'))));
  });
});
afterAll(() => api.close());

const ruleById = async (id: string): Promise<RuleItem> => (await api.get(`/v1/rules/${id}`)).body as RuleItem;

test('every rule of the catalogue is there as it says, with what it found and how much of that was false', async () => {
  const one = finding({ rule: 'R05', lane: 'rules', last_seen: new Date().toISOString() });
  one.id = one.id.replace(/^R\d\d/, 'R05');
  await api.storeFindings([one]);
  await api.post(`/v1/findings/${one.id}/resolve`, { as: 'false_positive', reason: 'one person with two names' });
  const { items } = (await api.get('/v1/rules')).body as { items: RuleItem[] };
  expect(items.map(({ id }) => id)).toEqual(RULE_CATALOGUE.map(({ id }) => id));
  expect(items.find(({ id }) => id === 'R05')).toMatchObject({
    ...{ enabled: true, mode: 'notify', version: 0, findings: 1, resolved: 1, resolved_false: 1 },
  });
});

test('a change is a version that the bus gets, ahead of its time, and is in the audit trail', async () => {
  const savedMs = Date.now();
  const saved = await api.patch('/v1/rules/R18', { parameters: { idle_days: 60 }, mode: 'monitor', version: 0 });
  expect(saved).toMatchObject({ status: 200, body: { version: 1, mode: 'monitor', set_by: 'operator' } });
  await until(
    () => ruleById('R18'),
    (rule) => rule.published,
  );
  expect(published).toMatchObject([{ rule: 'R18', version: 1, parameters: { idle_days: 60 } }]);
  expect(Date.parse(published[0]!.effective_from)).toBeGreaterThan(savedMs + 5_000);
  expect((await ruleById('R18')).parameters).toMatchObject([{ name: 'idle_days', default: 90, value: 60 }]);
  const { items } = (await api.get('/v1/audit', { action: 'rule.set' })).body as { items: object[] };
  expect(items).toMatchObject([
    { actor: 'operator', subject: { kind: 'rule', id: 'R18' }, changes: [{ field: 'mode' }, { field: 'parameters' }] },
  ]);
});

test.each([
  ['an unknown parameter', 'R18', { parameters: { days: 1 } }, 'parameters.days'],
  ['a value below its least', 'R18', { parameters: { idle_days: 0 } }, 'parameters.idle_days'],
  ['one that takes a new start', 'R05', { parameters: { window_ms: 3_600_000 } }, 'parameters.window_ms'],
])('%s is refused by name', async (_what, id, fields, path) => {
  const version = (await ruleById(id)).version;
  const answer = await api.patch(`/v1/rules/${id}`, { ...fields, version });
  expect(answer).toMatchObject({ status: 400, body: { errors: [{ path }] } });
});

test('a change made on an older version, or of no rule, is refused', async () => {
  expect((await api.patch('/v1/rules/R01', { enabled: false, version: 7 })).status).toBe(409);
  expect((await api.patch('/v1/rules/R99', { enabled: false, version: 0 })).status).toBe(404);
});

test('a backtest is asked of the detectors with the settings that would be saved, followed, and stopped', async () => {
  const requests: BacktestRequest[] = [];
  const feed = await api.bus.followLatest('lanewatch.backtests.v1', ({ value }) => {
    requests.push(JSON.parse(value.toString('utf8')) as BacktestRequest);
  });
  expect((await api.post('/v1/rules/R23/backtest', {})).status).toBe(400);
  const wrong = await api.post('/v1/rules/R07/backtest', { parameters: { events: 0 } });
  expect(wrong.body.errors[0].path).toBe('parameters.events');
  const asked = await api.post('/v1/rules/R07/backtest', { parameters: { events: 40 }, severity: 'high', days: 7 });
  expect(asked.status).toBe(202);
  const path = `/v1/backtests/${asked.body.id}`;
  expect((await api.get(path)).body).toMatchObject({ state: 'waiting', result: null });
  await until(
    async () => requests,
    (some) => some.length > 0,
  );
  const request = requests[0]!;
  expect(request).toMatchObject({
    ...{ id: asked.body.id, cancelled: false, present: null },
    settings: { rule: 'R07', parameters: { events: 40 }, severity: 'high', enabled: true },
  });
  expect(Date.parse(request.to) - Date.parse(request.from)).toBe(7 * 86_400_000);
  const engine = engineOf(inject('clickhouseServer'));
  const client = connect(engine, 10_000);
  const { write } = backtestsTable(client, api.store.database, Date.now);
  const progress = { request, rowsDone: 5, rowsTotal: 9, result: null, problem: '', startedMs: Date.now() };
  await write({ ...progress, state: 'running' });
  expect((await api.get(path)).body).toMatchObject({ state: 'running', rows_done: 5, rows_total: 9, rule: 'R07' });
  await api.post(`${path}/cancel`);
  await until(
    async () => requests,
    (some) => some.at(-1)!.cancelled,
  );
  const counts = { findings: 1, occurrences: 2, by_severity: { low: 0, medium: 0, high: 1, critical: 0 } };
  const none = { ...counts, findings: 0, occurrences: 0 };
  const more = [finding({ rule: 'R07', lane: 'tried', facts: { new_agent: 'curl' } })];
  const parts = { both: 0, other_severity: 0, more, more_count: 1, fewer: [], fewer_count: 0 };
  const result: BacktestResult = { tried: counts, present: none, ...parts };
  await write({ ...progress, state: 'done', result });
  await client.close();
  await feed.close();
  const over = (await api.get(path)).body;
  expect(over).toMatchObject({ state: 'done', tried: { parameters: { events: 40 } }, result: { more_count: 1 } });
  expect(over.result.more[0].sentence).toContain('never seen with the agent curl');
  expect((await api.get('/v1/backtests/bt_0000000a_' + '0'.repeat(24))).status).toBe(404);
});
