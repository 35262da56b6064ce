import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { axisMoney, exactMoney, formatMoney } from './money.ts';

describe('formatMoney', () => {
  it.each([
    ['0', '$0.00'],
    ['0.61', '$0.61'],
    ['0.610000000', '$0.61'],
    ['0.82', '$0.82'],
    ['47.2', '$47.20'],
    ['47.204999999', '$47.20'],
    ['47.205', '$47.21'],
    ['0.0123', '$0.0123'],
    ['0.1', '$0.10'],
    ['0.125', '$0.125'],
    ['0.00005', '$0.0001'],
    ['0.000049999', '<$0.0001'],
    ['0.000000001', '<$0.0001'],
    ['0.999999999', '$1.00'],
    ['1234567.891', '$1,234,567.89'],
    ['-3.5', '−$3.50'],
  ])('shows %s as %s', (dollars, shown) => {
    expect(formatMoney(dollars)).toBe(shown);
  });

  it('stays within half a cent of any amount from one dollar on, however large', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1_000_000_000n, max: 10n ** 24n }), (nano) => {
        const dollars = `${nano / 1_000_000_000n}.${(nano % 1_000_000_000n).toString().padStart(9, '0')}`;
        const cents = BigInt(formatMoney(dollars).replace(/[$,.]/g, ''));
        const off = cents * 10_000_000n - nano;
        expect(off <= 5_000_000n && off > -5_000_000n).toBe(true);
      }),
    );
  });

  it('never shows an amount above zero as zero', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 999_999_999 }), (nano) => {
        expect(formatMoney(`0.${String(nano).padStart(9, '0')}`)).not.toBe('$0.00');
      }),
    );
  });
});

it('keeps every decimal in the exact amount and drops empty ones', () => {
  expect(exactMoney('0.010000000')).toBe('US$ 0.01');
  expect(exactMoney('12.000000001')).toBe('US$ 12.000000001');
  expect(exactMoney('100')).toBe('US$ 100');
});

it('labels an axis with no more decimals than its steps need', () => {
  expect([0, 5, 0.2, 0.0025, 1500].map(axisMoney)).toEqual(['$0', '$5', '$0.20', '$0.0025', '$1,500']);
});
