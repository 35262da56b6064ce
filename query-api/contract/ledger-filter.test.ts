import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseLedgerFilter, termText, textTermOf } from './ledger-filter.ts';

const typed = (text: string) => parseLedgerFilter(text).terms.map(({ from: _from, to: _to, ...term }) => term);
const text = (field: string, value: string, more = {}) => ({
  ...{ kind: 'text', field, value, not: false, isPrefix: false },
  ...more,
});

describe('parseLedgerFilter', () => {
  it('reads what people type', () => {
    expect(typed('agent:codex cost>1 -user:ada status>=400 Repo:github.com/acme/*')).toEqual([
      text('agent', 'codex'),
      { kind: 'number', field: 'cost_usd', comparison: '>', value: '1', not: false },
      text('user', 'ada', { not: true }),
      { kind: 'number', field: 'status_code', comparison: '>=', value: '400', not: false },
      text('repo', 'github.com/acme/', { isPrefix: true }),
    ]);
    expect(typed('user:"" -session:"two words" id:a:b=c id:"\\"\\\\"')).toEqual([
      text('user', ''),
      text('session', 'two words', { not: true }),
      text('id', 'a:b=c'),
      text('id', '"\\'),
    ]);
  });

  it.each([
    ['ada', 0, 3, /field:value/],
    ['agent:codex usr:ada', 12, 15, /no field .*user/],
    ['cost>much', 5, 9, /an amount/],
    ['latency:1.5', 8, 11, /whole number/],
    ['-user>3', 5, 6, /compares numbers/],
    ['user:', 5, 5, /no value/],
    ['user:"ada', 5, 9, /without its end/],
    ['user:"ada"x', 5, 11, /more after it/],
    ['user:a*b', 6, 7, /any end only/],
    ['constructor:x', 0, 11, /no field/],
  ])('says of %s where it is wrong, and why', (filter, from, to, message) => {
    expect(parseLedgerFilter(filter).problems).toEqual([
      { from, to, message: expect.stringMatching(message) as string },
    ]);
  });

  it('keeps the terms beside one that it does not understand', () => {
    expect(typed('user:ada nonsense cost>1')).toHaveLength(2);
  });

  it('reads every term that it writes, whatever the value', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.string({ unit: 'binary', maxLength: 40 }), fc.boolean()), { maxLength: 5 }),
        (terms) => {
          const filter = terms.map(([value, not]) => textTermOf('session', value, { not })).join(' ');
          const read = parseLedgerFilter(filter);
          expect(read.problems).toEqual([]);
          expect(read.terms.map((term) => [term.value, term.not])).toEqual(terms);
          expect(read.terms.map(termText).join(' ')).toBe(filter);
        },
      ),
    );
  });

  it('takes any text without a fault, and its problems lie within it', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'user:cost"-*<>= \\1a'), maxLength: 30 }), (filter) => {
        for (const { from, to } of parseLedgerFilter(filter).problems) {
          expect(from).toBeGreaterThanOrEqual(0);
          expect(to).toBeGreaterThanOrEqual(from);
          expect(to).toBeLessThanOrEqual(filter.length);
        }
      }),
    );
  });
});
