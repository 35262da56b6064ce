import { expect, test } from 'vitest';
import { chartChoices, isNumeric, numberText, textOfCell } from './columns.ts';

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
