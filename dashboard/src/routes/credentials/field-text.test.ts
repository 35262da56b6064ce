import { expect, it } from 'vitest';
import { textOfValue } from './field-text.ts';

it.each([
  [null, ''],
  ['', ''],
  [3, '3'],
  [[], ''],
  [['10.0.0.0/8', '::/0'], '10.0.0.0/8, ::/0'],
  [[{ action: 'write', resource: 'runs' }], 'write on runs'],
  [{ amount_usd: '250', period: 'month' }, 'US$ 250 a month'],
  [{ other: 1 }, '{"other":1}'],
])('says %j in one line', (value, text) => {
  expect(textOfValue(value)).toBe(text);
});
