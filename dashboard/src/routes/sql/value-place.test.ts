import { expect, test } from 'vitest';
import { columnBeforeValue } from './value-place.ts';

test.each([
  ["WHERE model = '", 'model', ''],
  ["WHERE u.model='cla", 'model', 'cla'],
  ["WHERE model NOT IN ('a', 'it''s', 'b", 'model', 'b'],
  ["WHERE repo ilike '%web", 'repo', '%web'],
])('inside the quotes of %s the value is of %s', (text, column, typed) => {
  expect(columnBeforeValue(text)).toEqual({ column, typed });
});

test.each(["WHERE model = 'a'", "SELECT 'mod", 'WHERE model = cla', ''])('elsewhere it is of none: %s', (text) => {
  expect(columnBeforeValue(text)).toBeNull();
});
