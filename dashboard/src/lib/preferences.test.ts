import { expect, it } from 'vitest';
import { localPath, themeOf, zoneOf } from './preferences.ts';

it('takes only themes and zones that exist from cookies that anybody can edit', () => {
  expect(themeOf('dark')).toBe('dark');
  expect(themeOf('"><script>')).toBe('system');
  expect(themeOf(undefined)).toBe('system');
  expect(zoneOf('Europe/Lisbon')).toBe('Europe/Lisbon');
  expect(zoneOf('nowhere')).toBe('UTC');
  expect(zoneOf('')).toBe('UTC');
});

it.each(['https://elsewhere', '//elsewhere', '/\\elsewhere', 'javascript:alert(1)', '/a\nb', ''])(
  'never goes back to %j, which could lead off this site',
  (text) => {
    expect(localPath(text)).toBe('/');
  },
);

it('goes back to a path of this site with its filters', () => {
  expect(localPath('/ledger?lane=a%0ab&user=x')).toBe('/ledger?lane=a%0ab&user=x');
});
