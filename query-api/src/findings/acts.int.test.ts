import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { FindingItem, FindingsPage, TriageAnswer } from '../../contract/index.ts';
import { engineOf, startHarness } from '../testing/harness.ts';
import type { Harness } from '../testing/harness.ts';
import { finding, FINGERPRINT } from '../testing/registry.ts';

let api: Harness;
beforeAll(async () => {
  api = await startHarness({ engine: engineOf(inject('clickhouseServer')) });
});
afterAll(() => api.close());

const minutesFromNow = (minutes: number): string => new Date(Date.now() + minutes * 60_000).toISOString();
const findingOn = (lane: string, parts: Partial<ReturnType<typeof finding>> = {}) =>
  finding({ rule: 'R01', lane, last_received_at: minutesFromNow(-10), ...parts });
const act = (id: string, name: string, body: object = {}) => api.post(`/v1/findings/${id}/${name}`, body);
const listed = async (query: Record<string, string>): Promise<FindingsPage> =>
  (await api.get('/v1/findings', { counts: 'statuses', ...query })).body;
const idsOf = ({ items }: FindingsPage): string[] => items.map(({ id }) => id);

test('a finding goes through triage, its history tells all of it, and counts are those of the lists', async () => {
  const [one, other] = [findingOn('walk'), findingOn('walk', { rule: 'R05', severity: 'medium', risk: 47 })];
  other!.id = other!.id.replace('R01', 'R05');
  await api.storeFindings([one, other]);
  const { id } = one;

  expect((await act(id, 'acknowledge')).body).toMatchObject({ status: 'acknowledged', version: 1 });
  expect((await act(id, 'acknowledge')).body).toMatchObject({ status: 'acknowledged', version: 1 });
  expect((await act(id, 'assign', { assignee: 'me' })).body).toMatchObject({ assignee: 'operator', version: 2 });
  expect((await act(id, 'comment', { text: 'asked Ada' })).body).toMatchObject({ comments: 1, version: 2 });
  expect((await act(id, 'comment', { text: 'asked Ada' })).body).toMatchObject({ comments: 1 });
  const missing = `R01-${'9'.repeat(24)}`;
  const both = await api.post('/v1/findings/comments', { ids: [id, other.id, missing], text: 'asked Ada' });
  expect(both.body.items.map(({ outcome }: TriageAnswer['items'][number]) => outcome)).toEqual(
    ['unchanged', 'done', 'missing'], // prettier-ignore
  );
  expect(both.body).toMatchObject({ done: 1, items: [{}, { finding: { comments: 1, status: 'open' } }, {}] });
  expect(idsOf(await listed({ lane: 'walk', assignee: 'me' }))).toEqual([id]);
  expect(idsOf(await listed({ lane: 'walk', assignee: 'none' }))).toEqual([other.id]);

  const until = minutesFromNow(60);
  const snoozed = await act(id, 'snooze', { until, reason: 'rotation is on Monday' });
  expect(snoozed.body).toMatchObject({ status: 'snoozed', snooze: { until, by: 'operator' }, acknowledged: null });
  const page = await listed({ lane: 'walk', status: 'unresolved' });
  expect(idsOf(page)).toEqual([other.id]);
  expect(page.counts).toEqual({ open: 1, reopened: 0, acknowledged: 0, snoozed: 1, resolved: 0 });
  expect((await act(id, 'resolve', { as: 'accepted_risk', reason: 'ours' })).body).toMatchObject({
    ...{ status: 'resolved', snooze: null },
    resolution: { as: 'accepted_risk', by: 'operator', reason: 'ours' },
  });
  expect((await act(id, 'snooze', { until, reason: 'late' })).status).toBe(409);
  expect((await act(id, 'reopen')).body).toMatchObject({ status: 'open', assignee: 'operator' });

  const { body: detail } = await api.get(`/v1/findings/${id}`);
  expect(detail.history.map(({ act: name }: { act: string }) => name)).toEqual(
    ['acknowledge', 'assign', 'snooze', 'resolve', 'reopen'], // prettier-ignore
  );
  expect(detail.comment_list).toMatchObject([{ by: 'operator', text: 'asked Ada' }]);
  expect(detail.similar).toMatchObject([{ id: other.id, why: 'same_key' }]);
  expect(detail.runbook.length).toBeGreaterThan(1);
  const trail = await api.database.db
    .selectFrom('audit_trail')
    .select('action')
    .where('action', 'like', 'finding.%')
    .orderBy('seq')
    .execute();
  expect(trail.map(({ action }) => action)).toEqual(
    ['acknowledge', 'assign', 'comment', 'comment', 'snooze', 'resolve', 'reopen'].map((name) => `finding.${name}`),
  );
});

test('whoever comes second is told what the first one did, and nothing is overwritten', async () => {
  const one = findingOn('second');
  await api.storeFindings([one]);
  await act(one.id, 'resolve', { as: 'false_positive', version: 0 });
  const second = await act(one.id, 'reopen', { version: 0 });
  expect(second.status).toBe(409);
  expect(second.body.detail).toMatch(/^operator resolved it as false positive at .*You saw version 0, it is at 1 now/);
  expect((await api.get(`/v1/findings/${one.id}`)).body.status).toBe('resolved');
});

test('one act on many is answered for each, by ids or by lanes, and undone by its opposite', async () => {
  const [one, two] = [findingOn('bulk-1'), findingOn('bulk-2')];
  await api.storeFindings([one!, two!]);
  await act(two!.id, 'resolve');
  const triage = async (body: object): Promise<TriageAnswer> => (await api.post('/v1/findings/triage', body)).body;
  const answer = await triage({ act: 'acknowledge', ids: [one!.id, two!.id, 'R01-none'] });
  expect(answer.items.map(({ outcome }) => outcome)).toEqual(['done', 'refused', 'missing']);
  const ofLanes = await triage({ act: 'resolve', lanes: ['bulk-1', 'bulk-2'], reason: 'both' });
  expect(ofLanes.items.map(({ id, outcome }) => [id, outcome])).toEqual([[one!.id, 'done']]);
  const undone = await triage({ act: 'reopen', lanes: ['bulk-1', 'bulk-2'] });
  expect(undone.items.map(({ finding: item }) => (item as FindingItem).status)).toEqual(['open', 'open']);
  expect((await api.post('/v1/findings/triage', { act: 'snooze', ids: [one!.id] })).body.errors).toMatchObject([
    { path: 'until' },
    { path: 'reason' },
  ]);
  expect((await act(one!.id, 'assign', { assignee: 'stranger@example.com' })).body.errors[0].path).toBe('assignee');
});

test('lists are sorted by age and by what the lane spent, page by page', async () => {
  const lanes = ['sort-a', 'sort-b', 'sort-c'];
  await api.storeRows(
    lanes.map((lane, index) => ({ id: lane, lane, fingerprint: FINGERPRINT, cost_nano_usd: [1, 3, 2][index]! * 1e9 })),
  );
  await api.storeFindings(
    lanes.map((lane, index) => findingOn(lane, { org: 'sorted', first_seen: minutesFromNow(-index * 60) })),
  );
  const walk = async (sort: string): Promise<string[]> => {
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: FindingsPage = await listed({
        org: 'sorted',
        sort,
        limit: '1',
        ...(cursor === '' ? {} : { cursor }),
      });
      seen.push(...page.items.map(({ lane }) => lane));
      cursor = page.next_cursor;
    }
    return seen;
  };
  expect(await walk('age')).toEqual(['sort-c', 'sort-b', 'sort-a']);
  expect(await walk('spend')).toEqual(['sort-b', 'sort-c', 'sort-a']);
});

test('an act tells where each finding stood before it, so that it can be taken back', async () => {
  const one = findingOn('back');
  await api.storeFindings([one]);
  const until = minutesFromNow(60);
  await act(one.id, 'snooze', { until, reason: 'vendor' });
  const acknowledge = async (): Promise<TriageAnswer> =>
    (await api.post('/v1/findings/triage', { act: 'acknowledge', ids: [one.id, 'R01-none'] })).body;
  const before = { status: 'snoozed', assignee: '', snooze: { until, reason: 'vendor' }, resolution: null };
  expect((await acknowledge()).items.map((item) => item.before)).toEqual([before, null]);
  expect((await acknowledge()).items.map((item) => item.before)).toEqual([null, null]);
});
