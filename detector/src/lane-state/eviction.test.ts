import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ledgerRow } from '../ledger/testing.ts';
import { createLaneStates } from './lane-states.ts';

const LANES_MAX = 40;
const observer = () => {
  const states = createLaneStates({ lanesMax: LANES_MAX, valuesPerLane: 4 });
  return { states, observe: (lane: string, seen_at = 0) => states.observe(ledgerRow({ lane, seen_at })) };
};

test('a lane in steady use outlives any number of lanes that come once, whatever the times of its events', () => {
  for (const stepMs of [0, 1_000, -1_000, 3_600_000]) {
    const { states, observe } = observer();
    const busy = observe('busy');
    for (let round = 1; round <= 10 * LANES_MAX; round++) {
      observe(`passing ${round}`);
      expect(observe('busy', round * stepMs)).toBe(busy);
    }
    expect(states.size).toBe(LANES_MAX);
    expect(states.evictions).toBe(10 * LANES_MAX + 1 - LANES_MAX);
  }
});

test('only a lane that was idle for three quarters of the bound is forgotten', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(LANES_MAX * 3), { minLength: LANES_MAX, maxLength: LANES_MAX * 20 }), (lanes) => {
      const { states, observe } = observer();
      const lastUse = new Map<string, number>();
      for (const [index, number] of lanes.entries()) {
        const lane = `lane ${number}`;
        const forgotten = states.get(lane) === undefined;
        if (forgotten && lastUse.has(lane)) expect(index - lastUse.get(lane)!).toBeGreaterThan((LANES_MAX * 3) / 4 - 1);
        observe(lane);
        lastUse.set(lane, index);
        expect(states.size).toBeLessThanOrEqual(LANES_MAX);
      }
    }),
  );
});
