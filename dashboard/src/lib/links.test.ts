import { ENTITY_KINDS } from '@lanewatch/query-api/contract/entity-address';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ENTITY_PATHS, entityHref, laneHref, ledgerHref, sessionHref } from './links.ts';

describe('links to values', () => {
  it.each([
    [entityHref('user', 'ada@example.org'), '/users/ada%40example.org'],
    [entityHref('user', ''), '/users/~'],
    [
      entityHref('repo', 'github.com/acme/shop', { window: '24h' }),
      '/repositories/github.com%2Facme%2Fshop?window=24h',
    ],
    [entityHref('model', '..'), '/models/~..'],
    [sessionHref('javascript:alert(1)'), '/sessions/javascript%3Aalert(1)'],
    [laneHref('ab12', { window: '7d' }), '/lanes/ab12?window=7d'],
    [
      ledgerHref({ user: 'a&b' }, { from: '2026-11-21T00:00:00Z', to: '2026-11-22T00:00:00Z' }),
      '/ledger?user=a%26b&from=2026-11-21T00%3A00%3A00Z&to=2026-11-22T00%3A00%3A00Z',
    ],
  ])('%s', (href, expected) => {
    expect(href).toBe(expected);
  });

  it('lead to a page of this site under their kind, whatever a sender wrote', () => {
    fc.assert(
      fc.property(fc.constantFrom(...ENTITY_KINDS), fc.string({ unit: 'binary' }), (kind, value) => {
        const { origin, pathname, search, hash } = new URL(entityHref(kind, value), 'https://lanewatch.example');
        expect([origin, search, hash]).toEqual(['https://lanewatch.example', '', '']);
        expect(pathname.startsWith(`${ENTITY_PATHS[kind]}/`)).toBe(true);
      }),
    );
  });
});
