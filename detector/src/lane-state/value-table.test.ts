import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addValue,
  createValueTable,
  forgottenUntil,
  indexOf,
  makeRoom,
  touch,
  valuesAdded,
  valuesBetween,
  type ValueTable,
} from './value-table.ts';

/** Takes a sight in as lane state does. */
function see(table: ValueTable, value: string, atMs: number, bound: number): void {
  const index = indexOf(table, value);
  if (index !== -1) touch(table, index, atMs);
  else if (table.values.length < bound || makeRoom(table, value, atMs)) addValue(table, value, atMs, atMs);
}

const lastOf = (table: ValueTable, value: string) => table.sights[indexOf(table, value) * 2 + 1];
const sightsOf = (names: readonly string[]) =>
  fc.array(fc.record({ value: fc.constantFrom(...names), at: fc.nat(100) }), { minLength: 1 });

describe('a table of values', () => {
  test('knows first and last sight of everything while it has room, in whatever order times come', () => {
    fc.assert(
      fc.property(sightsOf(['a', 'b', 'c', 'd', 'e']), (sights) => {
        const table = createValueTable();
        for (const { value, at } of sights) see(table, value, at, 5);
        for (const [value, own] of Map.groupBy(sights, (sight) => sight.value)) {
          const index = indexOf(table, value);
          const times = own.map(({ at }) => at);
          expect(table.sights.slice(index * 2, index * 2 + 2)).toEqual([Math.min(...times), Math.max(...times)]);
        }
        expect(new Set(table.values)).toEqual(new Set(sights.map(({ value }) => value)));
        expect(forgottenUntil(table)).toBe(-Infinity);
      }),
    );
  });

  test('beyond its bound holds the values seen last and tells until when it may have missed some, in whatever order times come', () => {
    fc.assert(
      fc.property(sightsOf(['a', 'b', 'c', 'd', 'e', 'f']), fc.integer({ min: 1, max: 5 }), (sights, bound) => {
        const table = createValueTable();
        for (const { value, at } of sights) see(table, value, at, bound);
        const byLast = [...Map.groupBy(sights, ({ value }) => value)]
          .map(([value, own]) => ({ value, last: Math.max(...own.map(({ at }) => at)) }))
          .sort((left, right) => right.last - left.last || (left.value < right.value ? -1 : 1));
        expect([...table.values].sort()).toEqual(
          byLast
            .slice(0, bound)
            .map(({ value }) => value)
            .sort(),
        );
        for (const { value, last } of byLast.slice(0, bound)) expect(lastOf(table, value)).toBe(last);
        expect(forgottenUntil(table)).toBe(byLast[bound]?.last ?? -Infinity);
      }),
    );
  });

  test.each([3_000, 70])('of %i values finds each, and those seen last stay', (bound) => {
    const table = createValueTable();
    for (let number = 0; number < 3 * bound; number++) see(table, `value ${number}`, number, bound);
    for (const value of table.values) expect(table.values[indexOf(table, value)]).toBe(value);
    const held = new Set(table.values);
    expect(held.size).toBe(table.values.length);
    expect(held.size).toBeLessThanOrEqual(bound);
    expect(held.size).toBeGreaterThan((bound * 3) / 4 - 1);
    for (let number = 0; number < 3 * bound; number++)
      expect(held.has(`value ${number}`)).toBe(number > forgottenUntil(table));
  });
});

test('values were in use from their first to their last sight', () => {
  const table = createValueTable();
  addValue(table, 'a', 10, 20);
  addValue(table, 'b', 5, 15);
  expect(valuesBetween(table, 20, 30)).toEqual(['a']);
  expect(valuesBetween(table, 15, 30)).toEqual(['a', 'b']);
  expect(valuesBetween(table, 0, 9)).toEqual(['b']);
});

test('values are added that came after the first; nothing is told where one may have been there before', () => {
  const table = createValueTable();
  for (const [index, value] of ['a', 'b', 'c'].entries()) see(table, value, index * 10, 3);
  expect(valuesAdded(table, 0, 100)).toEqual(['b', 'c']);
  expect(valuesAdded(table, 15, 100)).toEqual(['c']);
  see(table, 'd', 30, 3);
  see(table, 'a', 40, 3);
  expect(valuesAdded(table, 25, 100)).toEqual([]);
});
