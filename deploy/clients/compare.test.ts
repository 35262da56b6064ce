import { expect, test } from 'vitest';
import { compare } from './compare.ts';

const answered = { model: 'm', input_uncached: 1_001, cache_read: 2_001, cache_write: 301, output: 41 };
const row = {
  model: 'm',
  user: 'ada@example.com',
  fingerprint: 'f',
  outcome: 'success',
  tokens_input_uncached: '1001',
  tokens_cache_read: '2001',
  tokens_cache_write: '301',
  tokens_output: '41',
  cost: '0.01',
  cost_basis: 'estimated',
};

test('one right row for each request is no fault', () => {
  expect(compare([answered], [row], 'f')).toEqual([]);
});

test.each([
  ['nothing asked', [], [], /asked nothing/],
  ['a lost row', [answered], [], /no row has the 41 tokens/],
  ['a request stored twice', [answered], [row, row], /1 requests were answered and 2 rows stored/],
  [
    'input with the cache in it',
    [answered],
    [{ ...row, tokens_input_uncached: 3_002 }],
    /input of a request of m is 3002/,
  ],
  ['another person', [answered], [{ ...row, user: 'bob' }], /person/],
  ['no cost', [answered], [{ ...row, cost: '0', cost_basis: 'none' }], /no cost \(none\)/],
])('%s is told', (_, served, rows, fault) => {
  expect(compare(served, rows, 'f').join('\n')).toMatch(fault);
});
