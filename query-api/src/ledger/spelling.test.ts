import { expect, test } from 'vitest';
import { spellingsOf } from './spelling.ts';

test.each([
  ['user', 'Ada@Example.com', 'ada@example.com'],
  ['repo', 'git@github.com:Acme/x.git', 'github.com/acme/x'],
  ['ip', '::ffff:10.0.0.1', '10.0.0.1'],
  ['host', 'Laptop.Acme.Example.', 'laptop.acme.example'],
] as const)(
  'a filter by %s finds rows under the canonical form of any spelling, and those of before under it',
  (column, given, stored) => {
    expect(spellingsOf(column, [given])).toEqual([given, stored]);
    expect(spellingsOf(column, [stored])).toEqual([stored]);
  },
);

test('columns without a canonical form are searched for what is given, and so is nothing', () => {
  expect(spellingsOf('session', ['Ada@Example.com'])).toEqual(['Ada@Example.com']);
  expect(spellingsOf('user', [''])).toEqual(['']);
});
