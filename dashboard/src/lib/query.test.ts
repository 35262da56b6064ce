import { lanesQuerySchema, ledgerQuerySchema } from '@lanewatch/query-api/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changedQuery, parseQuery, queryOf, queryString } from './query.ts';

const url = (text: string) => new URL(text, 'http://dashboard');

describe('changedQuery', () => {
  it('changes one filter, keeps the others and drops the cursor', () => {
    expect(changedQuery(url('/?window=7d&standing=unknown&cursor=abc'), { standing: 'known' })).toBe(
      '/?window=7d&standing=known',
    );
  });

  it('removes a filter with null and one of several values with the rest', () => {
    expect(changedQuery(url('/ledger?user=a&user=b&lane=x'), { lane: null })).toBe('/ledger?user=a&user=b');
    expect(changedQuery(url('/ledger?user=a&user=b&lane=x'), { user: ['b'] })).toBe('/ledger?lane=x&user=b');
  });

  it('takes any name for a name', () => {
    expect(changedQuery(url('/?__proto__=1&constructor=2'), {})).toBe('/?__proto__=1&constructor=2');
  });

  it('leaves out what a form sent empty', () => {
    expect(changedQuery(url('/?q=&window=24h'), {})).toBe('/?window=24h');
  });
});

describe('parseQuery', () => {
  it('takes filters from the address as the contract reads them', () => {
    const query = parseQuery(lanesQuerySchema, url('/?shared=true&standing=unknown&q=&sort=cost').searchParams);
    expect(query).toMatchObject({ shared: true, standing: 'unknown', sort: 'cost', window: '7d' });
    expect(query.q).toBeUndefined();
  });

  it('falls back to the default for what the contract refuses, and keeps the rest', () => {
    const query = parseQuery(lanesQuerySchema, url('/?window=11y&standing=evil&limit=-1&org=dev').searchParams);
    expect(query).toMatchObject({ window: '7d', limit: 50, org: 'dev' });
    expect(query.standing).toBeUndefined();
  });

  it('reads a filter given several times as any of its values', () => {
    expect(parseQuery(ledgerQuerySchema, url('/?user=a&user=b').searchParams).user).toEqual(['a', 'b']);
  });
});

it('carries any values through an address unchanged', () => {
  const name = fc.stringMatching(/^[a-z_]{1,12}$/);
  const value = fc.string({ minLength: 1, unit: 'grapheme' }).map((text) => text.toWellFormed());
  fc.assert(
    fc.property(fc.dictionary(name, value), (query) => {
      expect(queryOf(url(`/${queryString(query)}`).searchParams)).toEqual(query);
    }),
  );
});
