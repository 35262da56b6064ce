import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { RISK_OF } from '@lanewatch/detector/contract';
import { laneOf } from '@lanewatch/ingest/contract';
import { engineOf, startHarness } from '../testing/harness.ts';
import type { Harness } from '../testing/harness.ts';
import { finding } from '../testing/registry.ts';

const NOW = Date.UTC(2026, 10, 21, 12);
const DOLLAR = 1_000_000_000;
const key = (digit: string): string => digit.repeat(64);
const INVENTED = ['a', 'b', 'c'].map((org) => ({ org, lane: laneOf('', 'sk-ant-...C001', org) }));
const CHEAP = ['1', '2', '3', '4'].map(key);
const [DEAR, KNOWN] = [key('e'), key('d')] as [string, string];

let api: Harness;
beforeAll(async () => {
  // What is decided later is later.
  let clock = NOW;
  api = await startHarness({ engine: engineOf(inject('clickhouseServer')), now: () => clock++ });
  const row = { seen_at: NOW - 60 * 60_000, collector: 'laptops', user: 'ana', ip: '10.0.0.1', session: 's1' };
  await api.storeRows([
    ...INVENTED.map(({ org, lane }) => ({ ...row, lane, hint: 'sk-ant-...C001', org, cost_nano_usd: DOLLAR })),
    ...CHEAP.map((fingerprint) => ({ ...row, fingerprint, lane: fingerprint, cost_nano_usd: DOLLAR / 100 })),
    { ...row, fingerprint: DEAR, lane: DEAR, cost_nano_usd: 50 * DOLLAR, seen_at: NOW - 60_000 },
    { ...row, fingerprint: KNOWN, lane: KNOWN, cost_nano_usd: DOLLAR },
  ]);
  const last = new Date(NOW - 60_000).toISOString();
  const of = { first_seen: new Date(NOW - 7_200_000).toISOString(), last_seen: last, last_received_at: last };
  await api.storeFindings([
    ...INVENTED.map(({ org, lane }) =>
      finding({ rule: 'R01', lane, fingerprint: '', hint: 'sk-ant-...C001', org, ...of }),
    ),
    ...CHEAP.map((lane) => finding({ rule: 'R01', lane, fingerprint: lane, hint: '', ...of })),
    finding({
      rule: 'R01',
      lane: DEAR,
      fingerprint: DEAR,
      hint: 'sk-...dear',
      severity: 'critical',
      risk: RISK_OF.critical,
      ...of,
    }),
    finding({
      rule: 'R05',
      lane: DEAR,
      fingerprint: DEAR,
      hint: 'sk-...dear',
      severity: 'medium',
      risk: RISK_OF.medium,
      ...of,
    }),
  ]);
});
afterAll(() => api.close());

const queue = async (query: Record<string, string> = {}) => (await api.get('/v1/cases', query)).body;
const told = async (query: Record<string, string> = {}) =>
  (await queue(query)).items.map((one: { lane: string; group: { by: string; size: number } | null }) =>
    one.group === null ? one.lane : `${one.group.size} by ${one.group.by}`,
  );

test('the queue has every lane with an open finding once, worst first, alike ones as one entry that opens to its members', async () => {
  const all = await queue();
  expect(all).toMatchObject({ entries: 3, lanes: 8, states: { open: 8, acknowledged: 0, snoozed: 0 }, urgent: 1 });
  expect(await told()).toEqual([DEAR, '3 by hint', '4 by collector']);
  expect(all.items[0]).toMatchObject({ severity: 'critical', rule: 'R01', findings: 2, cost_usd: '50', live: true });
  expect(all.items[0].latest).toMatchObject({ user: 'ana', session: 's1' });
  expect(all.items[2].group).toMatchObject({ cost_usd: '0.04', lanes: expect.arrayContaining(CHEAP) });
  const members = await told({ group: all.items[2].group.key });
  expect(members.toSorted()).toEqual(CHEAP);
});

test('its pages together are the whole, and its filters leave what they name', async () => {
  const first = await queue({ limit: '2' });
  const second = await queue({ limit: '2', cursor: first.next_cursor });
  expect([first.items.length, second.items.length, second.next_cursor]).toEqual([2, 1, null]);
  expect(await told({ live: 'true' })).toEqual([DEAR]);
  expect(await told({ urgent: 'true' })).toEqual([DEAR]);
  expect(await told({ org: 'b' })).toEqual([INVENTED[1]!.lane]);
  expect(await told({ standing: 'known' })).toEqual([]);
});

test('what somebody took on, put off or registered leaves what wants a decision at once', async () => {
  await api.post('/v1/findings/triage', { act: 'acknowledge', lanes: [DEAR] });
  await api.post('/v1/findings/triage', { act: 'assign', lanes: [DEAR], assignee: 'me' });
  await api.post('/v1/findings/triage', {
    act: 'snooze',
    lanes: CHEAP,
    until: new Date(NOW + 86_400_000).toISOString(),
    reason: 'later',
  });
  expect(await told()).toEqual(['3 by hint']);
  expect(await told({ state: 'acknowledged', assignee: 'me' })).toEqual([DEAR]);
  expect((await queue()).states).toEqual({ open: 3, acknowledged: 1, snoozed: 4 });
  await api.post('/v1/credentials', { name: 'a key', fingerprint: DEAR, owner: 'ana', org: 'a' });
  // Who shares it is another question than whether it is known.
  expect((await queue({ state: 'acknowledged' })).items[0]).toMatchObject({ rule: 'R05', standing: 'known' });
});

test('the callers of a lane are those of its rows of 7 days', async () => {
  const { body } = await api.get(`/v1/lanes/${DEAR}/callers`);
  expect(body).toMatchObject({ callers: 1, calls: 1, items: [{ user: 'ana', ip: '10.0.0.1', calls: 1 }] });
});
