import { describe, expect, it } from 'vitest';
import { exactBounds, readLedgerQuery } from './ledger-query.ts';

const read = (query: string) => readLedgerQuery(new URLSearchParams(query));
const refusedIn = (query: string) => read(query).refused.map(({ name }) => name);

describe('readLedgerQuery', () => {
  it('takes what the contract takes', () => {
    expect(read('user=a&user=b&from=2026-11-21T00:00:00Z&limit=7&lane=')).toMatchObject({
      query: { user: ['a', 'b'], from: '2026-11-21T00:00:00Z', limit: 7 },
      refused: [],
    });
  });

  it.each([
    ['from=yesterday', ['from']],
    ['to=2026-13-40', ['to']],
    ['usr=ada', ['usr']],
    ['user=ada&usr=ada&colour=red', ['usr', 'colour']],
    ['finding=a&finding=b', ['finding']],
    ['limit=0', ['limit']],
    ['constructor=1', ['constructor']],
    ['status_code=429&status_code=4xx', ['status_code']],
    ['status_code=65536', ['status_code']],
    ['status_code=429', []],
  ])('names what can’t be used in %s', (query, names) => {
    expect(refusedIn(query)).toEqual(names);
  });

  it('keeps the filters beside one that can’t be used', () => {
    expect(read('user=ada&from=yesterday').query).toMatchObject({ user: ['ada'] });
  });
});

describe('exactBounds', () => {
  it('takes a day for its midnight, and leaves everything else', () => {
    const of = (query: string) => exactBounds(new URLSearchParams(query));
    expect(of('from=2026-11-21&to=2026-11-22T01:00:00Z')).toEqual({ from: '2026-11-21T00:00:00Z' });
    expect(of('to=+2026-11-22+')).toEqual({ to: '2026-11-22T00:00:00Z' });
    expect(of('from=2026-11-21T04:30:00Z&to=soon')).toBeUndefined();
  });
});
