import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { RULE_CATALOGUE, ruleSettingsSchema } from '@lanewatch/detector/contract';
import type { RuleSettings } from '@lanewatch/detector/contract';
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
