import { expect, test } from 'vitest';
import { isResolvedUser } from './people.ts';

test.each([
  ['ana@acme.example', true],
  ['ana', true],
  ['12345', true],
  ['10.0.0', true],
  ['Team: platform', true],
  ['', false],
  ['unknown', false],
  ['NULL', false],
  ['-', false],
  ['0123456789abcdef'.repeat(4), false],
  ['192.168.1.20', false],
  ['2001:db8::7', false],
  ['::ffff:10.0.0.1', false],
  ['fe80::1%eth0', false],
])('the user "%s" names somebody: %s', (user, resolved) => {
  expect(isResolvedUser(user)).toBe(resolved);
});
