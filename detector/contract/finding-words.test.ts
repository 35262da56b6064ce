import { describe, expect, test } from 'vitest';
import { factInWords } from './fact-words.ts';
import { sentenceOf } from './finding-words.ts';
import { RULE_CATALOGUE } from './rule-catalogue.ts';

const base = { first_seen: '2026-11-20T12:00:00.000Z', occurrences: 3, hint: '', org: '' };

describe('sentenceOf', () => {
  test.each([
    ['R05', { people: ['ana', 'ben'], people_count: 2, added: [] }, '2 people use one key: ana, ben'],
    [
      'R07',
      { new_network: 'AS9 Far', usual_network: ['AS1 Near'] },
      'The key was never seen with the network AS9 Far before; AS1 Near is usual here',
    ],
    [
      'R10',
      { hour_spend_usd: 41.5, usual_hour_usd: 2, busiest_hour_usd: 6 },
      '$41.50 were spent within an hour; $2.00 is usual at that hour, and $6.00 the most so far',
    ],
  ])('%s says what happened, what is usual, and since when', (rule, facts, words) => {
    expect(sentenceOf({ ...base, rule, facts })).toBe(`${words} (since 2026-11-20 12:00 UTC).`);
  });

  test('every rule has a sentence, also where facts are missing', () => {
    for (const { id } of RULE_CATALOGUE)
      expect(sentenceOf({ ...base, rule: id, facts: {} }), id).toMatch(/^\S.*\(since 2026-11-20 12:00 UTC\)\.$/);
    expect(sentenceOf({ ...base, rule: 'R99', facts: {} })).toBe('Rule R99 holds (since 2026-11-20 12:00 UTC).');
  });
});

test.each([
  ['hour_spend_usd', '3.5', { name: 'Spent within the hour', value: '$3.50' }],
  ['grace_ends_at', '2026-11-20T12:00:00Z', { name: 'Grace ends at', value: '2026-11-20 12:00 UTC' }],
  ['agents', ['a', 'b', 'c', 'd', 'e', 'f', 'g'], { name: 'Agents', value: 'a, b, c, d, e and 2 more' }],
  ['session_active', true, { name: 'Session is live', value: 'yes' }],
  ['hour_calls', 12_000, { name: 'Hour calls', value: '12,000' }],
])('factInWords reads %s', (name, value, words) => {
  expect(factInWords(name, value)).toEqual(words);
});

test('the catalogue has R01 to R29, each once and in order', () => {
  expect(RULE_CATALOGUE.map(({ id }) => id)).toEqual(
    Array.from({ length: 29 }, (_, index) => `R${String(index + 1).padStart(2, '0')}`),
  );
});
