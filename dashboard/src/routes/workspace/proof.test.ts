import { expect, test } from 'vitest';
import { proofOf } from './proof.ts';

const lane = { lane: 'hint_1', from: '2026-11-20T00:00:00.000Z', to: '2026-11-21T00:00:00.000Z' };

test('a reason of what was seen opens its rows in the window, one of the registry the entry', () => {
  const credential = { id: 'cred_1', name: '', kind: 'registered', owner: '', sharing: 'personal' } as const;
  expect(proofOf({ ...lane, credential: null }, 'unknown_key')).toEqual({
    href: '/ledger?lane=hint_1&standing=unknown&from=2026-11-20T00%3A00%3A00.000Z&to=2026-11-21T00%3A00%3A00.000Z',
    text: 'rows',
  });
  expect(proofOf({ ...lane, credential }, 'weakly_governed')).toEqual({
    href: '/credentials/cred_1',
    text: 'registry entry',
  });
  expect(proofOf({ ...lane, credential: null }, 'weakly_governed')).toBeNull();
});
