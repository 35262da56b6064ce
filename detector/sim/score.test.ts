import { expect, test } from 'vitest';
import type { Severity } from '../contract/index.ts';
import type { Label } from './label.ts';
import { falseRateOf, medianOf, recallOf, scoreOf } from './score.ts';
import type { Seen } from './watch.ts';

const AT = Date.parse('2026-03-02T12:00:00Z');
const HOUR = 3_600_000;
const iso = (ms: number) => new Date(ms).toISOString();
const label: Label = {
  ...{ id: 'leak-1', kind: 'leak', from: iso(AT), to: iso(AT + HOUR), lanes: ['lane'] },
  ...{ collectors: [], rules: [], note: '' },
};

function seen(lane: string, happenedMs: number, severity: Severity = 'medium'): Seen {
  return {
    finding: { rule: 'R07', lane, credential_id: '', severity } as Seen['finding'],
    ...{ happenedMs, receivedMs: happenedMs + 1_000, foundMs: happenedMs + 1_200, severity },
  };
}

const score = (findings: Seen[]) => scoreOf({ findings, lanes: 500, events: 0 }, [label], AT - HOUR, AT + 47 * HOUR);

test.each([
  ['at its first deed', seen('lane', AT), 1],
  ['an hour after its last', seen('lane', AT + 2 * HOUR), 1],
  ['a moment before', seen('lane', AT - 1), 0],
  ['later than that', seen('lane', AT + 2 * HOUR + 1), 0],
  ['on another lane', seen('other', AT), 0],
])('a finding %s counts as it should', (_when, finding, recall) => {
  const of = score([finding]);
  expect(recallOf(of)).toBe(recall);
  // 500 lanes for two days.
  expect(falseRateOf(of)).toBe(1 - recall);
});

test('low severity and what was raised while baselines are learned counts neither way', () => {
  const of = score([seen('lane', AT, 'low'), seen('other', AT, 'low'), seen('other', AT - 2 * HOUR)]);
  expect([recallOf(of), falseRateOf(of)]).toEqual([0, 0]);
});

test('the time to a finding is from receipt of the deciding event to the end of its batch', () => {
  expect(score([seen('lane', AT)]).delaysMs).toEqual([200]);
  expect([medianOf([3, 1, 2]), medianOf([4, 1, 2, 3])]).toEqual([2, 2.5]);
});
