import { expect, test } from 'vitest';
import { FAULTS } from './faults.ts';
import { planRuns } from './plan.ts';

test('every kind of fault gets its turn before one comes again', () => {
  const [planned] = planRuns(FAULTS, FAULTS.length * 5, 7);
  for (let start = 0; start < planned!.faults.length; start += FAULTS.length)
    expect(planned!.faults.slice(start, start + FAULTS.length).sort()).toEqual([...FAULTS].sort());
});

test('as many faults as were asked for, in runs that are not too long', () => {
  for (const kills of [1, 49, 50, 51, 200, 201]) {
    const runs = planRuns(FAULTS, kills, 7);
    expect(runs.reduce((sum, { faults }) => sum + faults.length, 0)).toBe(kills);
    expect(Math.max(...runs.map(({ faults }) => faults.length))).toBeLessThanOrEqual(50);
  }
});

test('the same seed plans the same runs, another one others', () => {
  expect(planRuns(FAULTS, 120, 7)).toEqual(planRuns(FAULTS, 120, 7));
  expect(planRuns(FAULTS, 120, 7)).not.toEqual(planRuns(FAULTS, 120, 8));
});
