import { expect, test } from 'vitest';
import { parametersIn } from './parameters.ts';

test('each parameter of a text is a field of its type, once, in its order', () => {
  const sql =
    'SELECT {who:String}, {days:UInt16} WHERE day >= {from : Date} AND at < {to:DateTime64(3)} AND person = {who:String}';
  expect(parametersIn(sql)).toEqual([
    { name: 'who', type: 'String', field: 'text' },
    { name: 'days', type: 'UInt16', field: 'number' },
    { name: 'from', type: 'Date', field: 'date' },
    { name: 'to', type: 'DateTime64(3)', field: 'text' },
  ]);
});

test('braces in strings and comments are no parameters', () => {
  expect(
    parametersIn(`SELECT '{a:String}', 'it''s {b:String}' -- {c:String}\n/* {d:String} */, {e:String}`),
  ).toHaveLength(1);
});
