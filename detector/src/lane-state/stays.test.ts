import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { busiestWindow, peopleIn, sawPeople, setStays, STAYS_MAX, touchStay } from './stays.ts';
import { addValue, createValueTable, indexOf, type ValueTable } from './value-table.ts';

const WINDOW = 10;

/** Takes a sight in as lane state does; tells whether a stay began. */
function see(table: ValueTable, person: string, atMs: number): boolean {
  const index = indexOf(table, person);
  if (index !== -1) return touchStay(table, index, atMs, WINDOW);
  addValue(table, person, atMs, atMs);
  return true;
}

/** Sights that lie close enough for less stays than are told apart. */
const sightsArbitrary = fc.array(
  fc.record({ person: fc.constantFrom('ana', 'ben', 'cleo', 'dan'), at: fc.nat(STAYS_MAX * WINDOW) }),
  { minLength: 1, maxLength: 40 },
);
const between = (at: number, fromMs: number, toMs: number) => at >= fromMs && at <= toMs;

describe('stays', () => {
  test('a stay begins with a sight that none of the same person is within the window of, in whatever order they come', () => {
    fc.assert(
      fc.property(sightsArbitrary, (sights) => {
        const table = createValueTable();
        for (const [index, { person, at }] of sights.entries()) {
          const before = sights.slice(0, index).filter((other) => other.person === person);
          expect(see(table, person, at)).toBe(before.every((other) => Math.abs(other.at - at) >= WINDOW));
        }
      }),
    );
  });

  test('a window saw whoever has a sight in it, and the busiest one is found', () => {
    fc.assert(
      fc.property(sightsArbitrary, fc.nat(STAYS_MAX * WINDOW), (sights, at) => {
        const table = createValueTable();
        for (const sight of sights) see(table, sight.person, sight.at);
        const seenFrom = (fromMs: number) =>
          new Set(sights.filter((sight) => between(sight.at, fromMs, fromMs + WINDOW - 1)).map(({ person }) => person));
        const windows = Array.from({ length: WINDOW }, (_, index) => at - WINDOW + 1 + index);
        const most = Math.max(...windows.map((fromMs) => seenFrom(fromMs).size));
        const window = busiestWindow(table, at, WINDOW);
        expect(window).toEqual({
          fromMs: windows.find((fromMs) => seenFrom(fromMs).size === most),
          toMs: window.fromMs + WINDOW - 1,
          people: most,
        });
        expect(new Set(peopleIn(table, window))).toEqual(seenFrom(window.fromMs));
        expect([most, most + 1].map((people) => sawPeople(table, at, WINDOW, people))).toEqual([true, false]);
      }),
    );
  });

  test('people who come and go for long keep their latest stays; those before are one', () => {
    const table = createValueTable();
    const times = Array.from({ length: STAYS_MAX + 3 }, (_, index) => index * 2 * WINDOW);
    for (const at of times) see(table, 'ana', at);
    expect(times.map((at) => busiestWindow(table, at + WINDOW + 1, 1).people)).toEqual(
      times.map((_, index) => (index < 3 ? 1 : 0)),
    );
    // As they come back from the ledger, which tells all of them apart.
    const restored = createValueTable();
    addValue(restored, 'ana', 0, 0);
    setStays(
      restored,
      0,
      times.flatMap((at) => [at, at]),
    );
    expect(restored).toEqual(table);
    expect(see(table, 'ana', 3 * WINDOW)).toBe(false);
  });
});
