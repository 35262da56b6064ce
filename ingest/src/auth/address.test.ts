import { expect, test } from 'vitest';
import { canonicalAddress } from '../normalise/canonical/address.ts';

test.each([
  ['10.0.0.1', '10.0.0.1'],
  ['10.0.0.1:50432', '10.0.0.1'],
  ['::ffff:10.0.0.1', '10.0.0.1'],
  ['[::ffff:10.0.0.1]:443', '10.0.0.1'],
  ['::1', '::1'],
  ['[fd00::1]', 'fd00::1'],
  ['[fd00::1]:50432', 'fd00::1'],
  ['fe80::1%eth0', 'fe80::1'],
  ['[fe80::1%eth0]:80', 'fe80::1'],
  // These end in what could be a port, and are addresses.
  ['fd00::1:8080', 'fd00::1:8080'],
  ['', ''],
  ['unknown', 'unknown'],
  ['host:80', 'host:80'],
  ['50%:x', '50%:x'],
])('%s is %s', (address, canonical) => {
  expect(canonicalAddress(address)).toBe(canonical);
});
