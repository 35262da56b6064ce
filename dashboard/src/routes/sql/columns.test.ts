import { expect, test } from 'vitest';
import { besideEachOther, cellHref, chartChoices, isNumeric, numberText, textOfCell } from './columns.ts';

test.each([
  ['UInt64', true],
  ['Nullable(Decimal(38, 9))', true],
  ['LowCardinality(Nullable(Int8))', true],
  ['LowCardinality(String)', false],
  ['Array(UInt8)', false],
  ["DateTime64(3, 'UTC')", false],
])('%s is numeric: %s', (type, numeric) => {
  expect(isNumeric({ name: 'a', type })).toBe(numeric);
});

test('numbers keep every digit, and other cells are text', () => {
  expect(numberText('18446744073709551615')).toBe('18,446,744,073,709,551,615');
  expect(numberText('1.234567890')).toBe('1.23456789');
  expect(numberText(null)).toBe('');
  expect(textOfCell(['a', 'b'])).toBe('["a","b"]');
});

test('a result without numbers has nothing to draw', () => {
  const statistics = { elapsed_ms: 1, rows_read: 1, bytes_read: 1 };
  expect(chartChoices({ columns: [{ name: 'a', type: 'String' }], rows: [], truncated: false, statistics }).y).toEqual(
    [],
  );
});

test('bars of several series stand beside each other around their place', () => {
  expect(besideEachOther([[1, 2]])).toEqual([
    [0, 1],
    [1, 2],
  ]);
  const [points, first, second] = besideEachOther([
    [1, 2],
    [3, 4],
  ]);
  expect(points.map((point) => point.toFixed(1))).toEqual(['-0.2', '0.2', '0.8', '1.2']);
  expect([first, second]).toEqual([
    [1, null, 2, null],
    [null, 3, null, 4],
  ]);
});

test('a cell leads to the page of what it names, by its column', () => {
  expect(cellHref('person', 'ada')).toBe('/users/ada');
  expect(cellHref('lane', 'hint_x')).toBe('/lanes/hint_x');
  expect([cellHref('day', '2026-11-28'), cellHref('person', ''), cellHref('constructor', 'x')]).toEqual([
    null,
    null,
    null,
  ]);
});
