import { expect, it } from 'vitest';
import { isHintOnly } from './hint-only.ts';

it('is true only where no fingerprint and no org is named', () => {
  expect(isHintOnly({ lane: 'hint_0123', org: '' })).toBe(true);
  expect(isHintOnly({ lane: 'hint_0123', org: 'acme' })).toBe(false);
  expect(isHintOnly({ lane: 'a'.repeat(64), org: '' })).toBe(false);
  expect(isHintOnly({ lane: 'unattributed', org: '' })).toBe(false);
});
