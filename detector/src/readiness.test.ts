import { expect, test } from 'vitest';
import { createReadiness } from './readiness.ts';

test('a detector is ready from an assignment until it is revoked', () => {
  const readiness = createReadiness();
  expect(readiness.reason).toBe('starting');
  readiness.assigned();
  expect(readiness.reason).toBeNull();
  readiness.revoked();
  expect(readiness.reason).toMatch(/taken away/);
  readiness.restoring();
  expect([readiness.reason, readiness.isAtWork]).toEqual(['reading its lanes back from the ledger', true]);
  readiness.assigned();
  expect([readiness.reason, readiness.isAtWork]).toEqual([null, false]);
});
