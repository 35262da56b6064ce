import { expect, test } from 'vitest';
import { daysInWords, percentOf, settingsInWords } from './words.ts';

test.each([
  [1 / 1440, '1 minute'],
  [0.5, '12 hours'],
  [1, '1 day'],
  [90, '90 days'],
])('%f days are said as %s', (days, words) => {
  expect(daysInWords(days)).toBe(words);
});

test('a policy that one key of ten thousand breaks is not at 100 %', () => {
  expect([percentOf(0.9999), percentOf(1), percentOf(null)]).toEqual(['99.9 %', '100 %', '-']);
});

test('settings are said on one line', () => {
  expect(settingsInWords('expiry_alerts', { days: [30, 7] })).toBe('30, 7 days before its end');
  expect(settingsInWords('proxy_refusal', { refuse: ['revoked', 'network'] })).toBe(
    'requests by a key that is revoked, used from outside its networks',
  );
  expect(settingsInWords('maximum_lifetime', { max_days: 365, notice_days: 14 })).toBe(
    'at most 365 days · notice 14 days',
  );
});
