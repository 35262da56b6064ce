import { expect, it } from 'vitest';
import { KEYS } from './keys.ts';

it('has a key of its own for each act', () => {
  const keys = Object.values(KEYS);
  expect(new Set(keys).size).toBe(keys.length);
});
