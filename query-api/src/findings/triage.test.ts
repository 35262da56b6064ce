import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FindingTriageTable } from '../registry/schema.ts';
import { decideAct } from './act-rules.ts';
import type { TriageAct } from './act-rules.ts';
import { findingStatus } from './triage.ts';
import type { Judged, Triage } from './triage.ts';

const NOW = 1_000_000;
const finding: Judged = {
  ...{
    id: 'R01-a',
    rule: 'R01',
    lane: 'l',
    fingerprint: '',
    hint: 'h',
    org: '',
    severity: 'high',
    lastReceivedMs: NOW,
  },
};
const kept = (parts: Partial<FindingTriageTable>): FindingTriageTable => ({
  ...{ finding_id: 'R01-a', state: 'open', state_at: null, state_by: '', reason: '', resolution: '', severity: '' },
  ...{ until: null, assignee: '', comments: 0, version: 1 },
  ...parts,
});
const triageOf = (act: FindingTriageTable | null, decidedMs: number | null = null, nowMs = NOW): Triage => ({
  decisions:
    decidedMs === null
      ? new Map()
      : new Map([['R01/l', { atMs: decidedMs, by: 'x', reason: '', isLowering: false, isOfHint: false }]]),
  acts: act === null ? new Map() : new Map([[act.finding_id, act]]),
  nowMs,
});
const statusOf = (parts: Partial<Judged>, ...triage: Parameters<typeof triageOf>) =>
  findingStatus({ ...finding, ...parts }, triageOf(...triage)).status;
const resolved = (resolution: 'fixed' | 'false_positive' | 'accepted_risk', atMs: number) =>
  kept({ state: 'resolved', state_at: new Date(atMs), resolution, severity: 'high' });

describe('where a finding stands', () => {
  test('what was fixed is re-opened by an occurrence received after that, and by none before', () => {
    expect(statusOf({ lastReceivedMs: 500 }, resolved('fixed', 500))).toBe('resolved');
    expect(statusOf({ lastReceivedMs: 501 }, resolved('fixed', 500))).toBe('reopened');
  });

  test.each(['false_positive', 'accepted_risk'] as const)('%s stays closed until it is more severe', (as) => {
    expect(statusOf({ lastReceivedMs: 900 }, resolved(as, 500))).toBe('resolved');
    expect(statusOf({ lastReceivedMs: 900, severity: 'medium' }, resolved(as, 500))).toBe('resolved');
    expect(statusOf({ lastReceivedMs: 900, severity: 'critical' }, resolved(as, 500))).toBe('reopened');
  });

  test('a snooze ends at its instant', () => {
    const snoozed = kept({ state: 'snoozed', state_at: new Date(1), until: new Date(700) });
    expect(statusOf({}, snoozed, null, 699)).toBe('snoozed');
    expect(statusOf({}, snoozed, null, 700)).toBe('open');
  });

  test('of what a person and what the registry decided the later one counts', () => {
    const lastReceivedMs = 1;
    const acknowledged = kept({ state: 'acknowledged', state_at: new Date(500) });
    expect(statusOf({ lastReceivedMs }, acknowledged, 499)).toBe('acknowledged');
    expect(statusOf({ lastReceivedMs }, acknowledged, 501)).toBe('resolved');
    expect(statusOf({ lastReceivedMs }, kept({ state_at: new Date(502) }), 501)).toBe('open');
    expect(statusOf({ lastReceivedMs }, kept({ assignee: 'ada' }), 501)).toBe('resolved');
  });
});

const acts = fc.record({
  act: fc.constantFrom('acknowledge', 'resolve', 'reopen', 'snooze', 'assign'),
  as: fc.constantFrom('fixed', 'false_positive', 'accepted_risk'),
  reason: fc.constantFrom('', 'why'),
  until: fc.constant(new Date(NOW + 1)),
  assignee: fc.constantFrom('', 'ada@example.com'),
}) as fc.Arbitrary<TriageAct>;

test('any run of acts counts up by one for each that was done, the same act twice is one, and a stale one changes nothing', () => {
  fc.assert(
    fc.property(fc.array(acts, { maxLength: 12 }), (run) => {
      let row: FindingTriageTable | null = null;
      run.forEach((act, index) => {
        const at = new Date(index + 1);
        const decide = (seen?: number, actor = 'ada') => {
          const status = findingStatus({ ...finding, lastReceivedMs: 0 }, triageOf(row)).status;
          return decideAct('R01-a', { status, severity: 'high', kept: row }, act, { actor, at, seen });
        };
        if (row !== null && act.act !== 'assign') {
          const stale = decide(row.version + 1, 'bob');
          expect(stale.outcome).toBe('refused');
        }
        const version: number = row?.version ?? 0;
        const first = decide(version);
        if (first.outcome !== 'done') return;
        expect(first.row.version).toBe(version + 1);
        row = first.row;
        expect(decide()).toEqual({ outcome: 'unchanged' });
      });
    }),
  );
});
