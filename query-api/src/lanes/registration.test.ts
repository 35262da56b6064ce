import { expect, test } from 'vitest';
import { registrationOf } from './registration.ts';

const FINGERPRINT = 'a'.repeat(64);

test.each([
  ['a fingerprint, unknown', FINGERPRINT, '', 'unknown', 'helps'],
  ['a fingerprint whose hint fits others', FINGERPRINT, 'acme', 'ambiguous', 'helps'],
  ['a hint and an org that no key has', '', 'acme', 'unknown', 'helps'],
  ['a hint and an org that several keys fit', '', 'acme', 'ambiguous', 'needs_fingerprint'],
  ['a hint without an org', '', '', 'unknown', 'needs_fingerprint'],
  ['a hint without an org that keys fit', '', '', 'ambiguous', 'needs_fingerprint'],
  ['a known key', FINGERPRINT, '', 'known', 'not_needed'],
  ['a revoked key', FINGERPRINT, '', 'revoked', 'not_needed'],
  ['no key at all', '', '', 'unattributed', 'not_needed'],
] as const)('for events that name %s', (_what, fingerprint, org, standing, registration) => {
  expect(registrationOf({ fingerprint, org }, standing)).toBe(registration);
});
