import { expect, test } from 'vitest';
import { falseShare, scopeText, valueText } from './words.ts';

test('a rule says where it holds', () => {
  expect(scopeText({ orgs: [], projects: [], environments: [] })).toBe('everything');
  expect(scopeText({ orgs: ['acme'], projects: [], environments: ['staging', 'production'] })).toBe(
    'organisation acme; environment staging, production',
  );
});

test('nothing resolved is no share of false findings', () => {
  expect(falseShare({ resolved: 0, resolved_false: 0 })).toBe('–');
  expect(falseShare({ resolved: 4, resolved_false: 1 })).toBe('1 of 4');
});

test.each([
  [true, '', 'yes'],
  [3_600_000, 'ms', '1 hour'],
  [90_000, 'ms', '90 seconds'],
  [1_500, 'ms', '1500 ms'],
  [5, 'usd', '$5'],
  [90, 'days', '90 days'],
  [3, 'count', '3'],
])('%s %s reads %s', (value, unit, text) => {
  expect(valueText(value, unit)).toBe(text);
});
