import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createValueTable, restoreValue, touch, valuesWithin } from './value-table.ts';

describe('a table of values', () => {
  const sight = fc.record({ value: fc.constantFrom('a', 'b', 'c', 'd', 'e'), at: fc.nat(100) });

  test('knows first and last sight of everything while it has room, in whatever order times come', () => {
    fc.assert(
      fc.property(fc.array(sight, { minLength: 1 }), (sights) => {
        const table = createValueTable();
        const expected = new Map<string, { first: number; last: number }>();
        for (const { value, at } of sights) {
          const before = expected.get(value);
          expect(touch(table, value, at, 5)).toBe(before?.last ?? NaN);
          expected.set(value, { first: Math.min(before?.first ?? at, at), last: Math.max(before?.last ?? at, at) });
        }
        const held = table.values.map((value, index) => [
          value,
          { first: table.sights[index * 2], last: table.sights[index * 2 + 1] },
        ]);
        expect(new Map(held as [string, { first: number; last: number }][])).toEqual(expected);
      }),
    );
  });

  test('never holds more than its bound, and always the value seen last', () => {
    fc.assert(
      fc.property(fc.array(sight, { minLength: 1 }), fc.integer({ min: 1, max: 4 }), (sights, bound) => {
        const table = createValueTable();
        for (const { value, at } of sights) {
          touch(table, value, at, bound);
          expect(table.values.length).toBeLessThanOrEqual(bound);
          expect(table.values).toContain(value);
          expect(table.sights).toHaveLength(table.values.length * 2);
        }
      }),
    );
  });

  test('goes on after a restore as if it had never stopped', () => {
    const table = createValueTable();
    restoreValue(table, 'a', 10, 20);
    restoreValue(table, 'b', 5, 15);
    expect(touch(table, 'b', 30, 8)).toBe(15);
    expect(valuesWithin(table, 30, 10)).toEqual(['b']);
    expect(valuesWithin(table, 30, 11)).toEqual(['a', 'b']);
  });
});
