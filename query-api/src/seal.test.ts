import { expect, test } from 'vitest';
import { seal, unseal } from './seal.ts';

test('what is sealed is opened by its secret alone, and for its purpose alone', () => {
  const bytes = Buffer.from('https://hooks.example/T0/B0');
  const sealed = seal(bytes, 'one', 'channels');
  expect(Buffer.from(sealed, 'base64').includes('hooks')).toBe(false);
  expect(unseal(sealed, 'one', 'channels')).toEqual(bytes);
  expect(() => unseal(sealed, 'other', 'channels')).toThrow();
  expect(() => unseal(sealed, 'one', 'signing key')).toThrow();
});
