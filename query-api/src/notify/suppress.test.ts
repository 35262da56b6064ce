import { expect, test } from 'vitest';
import { suppressionKeyOf } from './suppress.ts';

const told = (facts: object, rule = 'R25') => ({ rule, org: 'acme', credential_id: '', facts: JSON.stringify(facts) });

test('findings of a rule agree where the chosen fields do, and one that has none of them agrees with no other', () => {
  const by = { suppress_by: ['endpoint' as const, 'org' as const] };
  const key = suppressionKeyOf(told({ endpoint: '192.0.2.1', keys: 3 }), by);
  expect(suppressionKeyOf(told({ new_endpoint: '192.0.2.1', keys: 4 }), by)).toBe(key);
  expect(suppressionKeyOf(told({ endpoint: '192.0.2.2' }), by)).not.toBe(key);
  expect(suppressionKeyOf(told({ endpoint: '192.0.2.1' }, 'R16'), by)).not.toBe(key);
  expect(suppressionKeyOf(told({ keys: 3 }), { suppress_by: ['endpoint'] })).toBeNull();
  for (const settings of [undefined, {}, { suppress_by: [] }])
    expect(suppressionKeyOf(told({ endpoint: '192.0.2.1' }), settings)).toBeNull();
});
