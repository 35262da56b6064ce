import { expect, it } from 'vitest';
import { undoOf, type Before } from './triage.ts';

const one = (id: string, parts: Partial<Before> = {}): Before => ({
  ...{ id, status: 'open', assignee: '', snooze: null, resolution: null },
  ...parts,
});
const snooze = { until: '2026-12-01T00:00:00.000Z', reason: 'vendor' };

it('puts findings back where they were, whatever each was: open, in work, put off, resolved', () => {
  const before = [
    one('a'),
    one('b', { status: 'acknowledged' }),
    one('c', { status: 'snoozed', snooze }),
    one('d', { status: 'snoozed', snooze }),
    one('e', { status: 'resolved', resolution: { as: 'accepted_risk', reason: 'ours' } }),
  ];
  const back = [
    { act: 'acknowledge', ids: ['b'] },
    { act: 'snooze', ids: ['c', 'd'], ...snooze },
    { act: 'resolve', ids: ['e'], as: 'accepted_risk', reason: 'ours' },
  ];
  expect(undoOf({ act: 'snooze' }, before)).toEqual([{ act: 'reopen', ids: ['a', 'b', 'c', 'd', 'e'] }, ...back]);
  expect(undoOf({ act: 'reopen' }, before)).toEqual(back);
});

it('gives an assignment back to whoever had it, and does nothing where nothing was changed', () => {
  const before = [one('a', { assignee: 'ada' }), one('b'), one('c', { assignee: 'ada' })];
  expect(undoOf({ act: 'assign' }, before)).toEqual([
    { act: 'assign', assignee: 'ada', ids: ['a', 'c'] },
    { act: 'assign', assignee: '', ids: ['b'] },
  ]);
  expect(undoOf({ act: 'acknowledge' }, [])).toEqual([]);
});
