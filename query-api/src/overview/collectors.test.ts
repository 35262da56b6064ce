import { type CollectorCounts, collectorCountsKey } from '@lanewatch/ingest/contract';
import { expect, test } from 'vitest';
import { credentialCreateSchema } from '../../contract/index.ts';
import { draftCredential } from '../registry/draft.ts';
import { snapshotOf } from '../registry/view.ts';
import { collectorHealth, createCollectorTotals, SILENT_MS } from './collectors.ts';

const NOW = Date.UTC(2026, 10, 21, 12);
const at = (agoMs: number): string => new Date(NOW - agoMs).toISOString();

function report(parts: Partial<CollectorCounts>): Buffer {
  const base = { instance: 'i', instance_started_at: at(0), service: 'ingest', collector: 'c', reported_at: at(0) };
  return Buffer.from(JSON.stringify({ ...base, ...parts }));
}

function managed(name: string) {
  const input = credentialCreateSchema.parse({ kind: 'managed', name, environment: 'development' });
  return draftCredential(input, 'test', NOW).row;
}

test('silence, calm and absence are told apart', () => {
  const rows = ['reporting', 'silent', 'never', 'revoked'].map(managed);
  rows[3]!.revoked_at = new Date(NOW - 1);
  const totals = createCollectorTotals();
  totals.apply('a', report({ collector: rows[0]!.id, last_received_at: at(SILENT_MS) }));
  totals.apply('b', report({ collector: rows[1]!.id, last_received_at: at(SILENT_MS + 1) }));
  totals.apply('c', report({ collector: rows[3]!.id, last_received_at: at(1) }));
  const health = collectorHealth(snapshotOf(1, rows), totals.byCollector(), NOW);
  expect(health.map(({ name, state }) => [name, state])).toEqual([
    ['silent', 'silent'],
    ['never', 'never'],
    ['reporting', 'reporting'],
    ['revoked', 'revoked'],
  ]);
});

test('tells collectors of the registry from own producers and from keys that it lost', () => {
  const [row] = [managed('known')];
  const totals = createCollectorTotals();
  for (const collector of [row!.id, '', 'cred_lost']) totals.apply(`d/${collector}`, report({ collector, stored: 1 }));
  const health = collectorHealth(snapshotOf(1, [row!]), totals.byCollector(), NOW);
  expect(Object.fromEntries(health.map(({ collector, registered }) => [collector, registered]))).toEqual({
    [row!.id]: true,
    '': false,
    cred_lost: false,
  });
});

test.each([
  [SILENT_MS, 'reporting', 'reporting'],
  [SILENT_MS + 1, 'silent', 'silent'],
  [24 * 3_600_000, 'silent', 'silent'],
  [24 * 3_600_000 + 1, 'expired', 'gone'],
])(
  '%i ms after its last event a collector with an expired key is %s, and one without any is %s',
  (agoMs, expired, gone) => {
    const row = { ...managed('expired'), expires_at: new Date(NOW - 1) };
    const totals = createCollectorTotals();
    for (const collector of [row.id, '', 'cred_lost']) {
      totals.apply(`d/${collector}`, report({ collector, stored: 1, last_received_at: at(agoMs) }));
    }
    const health = collectorHealth(snapshotOf(1, [row]), totals.byCollector(), NOW);
    const states = Object.fromEntries(health.map(({ collector, state }) => [collector, state]));
    expect(states).toEqual({ [row.id]: expired, '': gone, cred_lost: gone });
  },
);

test('totals of processes add up, a repeated report changes nothing, and what is missing shows as in flight', () => {
  const totals = createCollectorTotals();
  totals.apply('i1/c', report({ accepted: 3 }));
  totals.apply('i1/c', report({ accepted: 10, rejected: 1, redacted: 2 }));
  totals.apply('i1/c', report({ accepted: 10, rejected: 1, redacted: 2 }));
  totals.apply('i2/c', report({ accepted: 5 }));
  totals.apply('d1/c', report({ service: 'detector', stored: 9, duplicates: 2, dead_lettered: 1 }));
  const [health] = collectorHealth(snapshotOf(1, []), totals.byCollector(), NOW);
  expect(health).toMatchObject({ accepted: 15, rejected: 1, redacted: 2, stored: 9, in_flight: 3 });
});

test('a process that is started again under the same name adds to what it counted before', () => {
  const totals = createCollectorTotals();
  for (const [startedMs, accepted] of [
    [1_000, 10],
    [2_000, 1],
    [2_000, 3],
  ] as const) {
    const identity = { instance: 'fixed', instance_started_at: new Date(startedMs).toISOString(), collector: 'c' };
    totals.apply(collectorCountsKey(identity), report({ ...identity, accepted }));
  }
  expect(totals.byCollector().get('c')?.accepted).toBe(13);
});

test('events of Kafka producers are never in flight: nobody accepted them', () => {
  const totals = createCollectorTotals();
  totals.apply('d1/', report({ service: 'detector', collector: '', stored: 9, last_received_at: at(1) }));
  const [health] = collectorHealth(snapshotOf(1, []), totals.byCollector(), NOW);
  expect(health).toMatchObject({ collector: '', name: 'Kafka producers', state: 'reporting', stored: 9, in_flight: 0 });
});

test('sums stay right while more processes report than are held apart', () => {
  const totals = createCollectorTotals(10);
  for (let round = 1; round <= 5; round++) {
    for (let instance = 0; instance < 50; instance++) {
      totals.apply(`i${instance}/c`, report({ accepted: 2 * round, rejected: round }));
    }
    expect(totals.byCollector().get('c')).toMatchObject({ accepted: 100 * round, rejected: 50 * round });
  }
});

test('what ended processes counted stays, and all but a bounded number of them is forgotten', () => {
  const totals = createCollectorTotals(10);
  for (let instance = 0; instance < 500; instance++) totals.apply(`i${instance}/c`, report({ accepted: 2 }));
  const accepted = () => totals.byCollector().get('c')?.accepted;
  expect(accepted()).toBe(1000);
  // 10 are held apart and 100 remembered: the last forgotten one counts as another process.
  totals.apply('i390/c', report({ accepted: 2 }));
  expect(accepted()).toBe(1000);
  totals.apply('i388/c', report({ accepted: 2 }));
  expect(accepted()).toBe(1002);
});

test('what is no report is refused', () => {
  const totals = createCollectorTotals();
  expect(totals.apply('x', Buffer.from('nonsense'))).toBe(false);
  expect(totals.apply('x', report({ accepted: -1 }))).toBe(false);
  expect(totals.byCollector().size).toBe(0);
});

test('moved events are added up over detectors, and their sources are named once', () => {
  const totals = createCollectorTotals();
  const moved = (instance: string, count: number, sources: string[]) =>
    totals.apply(
      instance,
      report({ instance, service: 'detector', collector: '', moved: count, moved_sources: sources }),
    );
  moved('one', 3, ['billing', 'eval']);
  moved('two', 4, ['eval']);
  const [own] = collectorHealth(snapshotOf(1, []), totals.byCollector(), NOW);
  expect(own).toMatchObject({ moved: 7, moved_sources: ['billing', 'eval'] });
});
