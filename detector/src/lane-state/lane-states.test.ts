import { describe, expect, test } from 'vitest';
import { ledgerRow } from '../ledger/testing.ts';
import { createLaneStates } from './lane-states.ts';

const states = (extraValuesMax: number, lanesMax = 10) =>
  createLaneStates({ lanesMax, valuesPerLane: 4, extraValuesMax });
const names = (count: number) => Array.from({ length: count }, (_, index) => `person-${index}`);

describe('room for values', () => {
  test('people, repositories and environments get more than others, as long as there is some for all lanes together', () => {
    const lanes = states(10);
    const observe = (lane: string, name: string) =>
      lanes.observe(ledgerRow({ lane, user: name, agent: name, repo: name, environment: '', seen_at: 0 }));
    for (const name of names(9)) observe('a', name);
    expect(lanes.get('a')).toMatchObject({ user: { values: names(9) }, repo: { values: names(9) } });
    expect(lanes.get('a')?.agent?.values).toHaveLength(4);
    expect(lanes.extraValues).toBe(10);
    for (const name of names(9)) observe('b', name);
    expect(lanes.get('b')?.user?.values).toHaveLength(4);
    expect(lanes.get('b')?.repo?.values).toHaveLength(4);
  });

  test('is given back by lanes that are forgotten', () => {
    const lanes = states(5, 1);
    for (let lane = 0; lane < 100; lane++)
      for (const user of names(9)) lanes.observe(ledgerRow({ lane: String(lane), user, repo: '', seen_at: 0 }));
    expect(lanes.get('99')?.user?.values).toHaveLength(9);
    expect(lanes.extraValues).toBe(5);
  });

  test('installations, addresses and placeholders take none from people', () => {
    const lanes = states(0);
    const others = ['unknown', 'root', 'a'.repeat(64), 'B'.repeat(64), '10.0.0.1', '::1', 'fe80::1%eth0', 'Anonymous'];
    for (const user of [...names(4), ...others]) lanes.observe(ledgerRow({ lane: 'a', user, seen_at: 0 }));
    expect(lanes.get('a')?.user?.values).toEqual(names(4));
    expect(lanes.get('a')?.unresolved?.values).toHaveLength(4);
  });
});

test('whether somebody joined is not told of a time from which sights were forgotten', () => {
  const lanes = createLaneStates({ lanesMax: 1, valuesPerLane: 4, extraValuesMax: 0, windowMs: 100 });
  const joins = (user: string, seen_at: number) => {
    lanes.observe(ledgerRow({ lane: 'a', user, seen_at }));
    return lanes.personJoined;
  };
  expect(names(4).map((name, at) => joins(name, at))).toEqual([true, true, true, true]);
  // One of them goes for each that comes, so who comes back may have been there all the time.
  expect([...names(8), ...names(8)].map((name, at) => joins(name, at + 4)).every((joined) => !joined)).toBe(true);
  expect(joins('person-1', 1_000)).toBe(true);
});
