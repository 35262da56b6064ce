import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dollarsOf, nanoOf, sumDollars } from './money.ts';

test('every amount survives the way to text and back exactly', () => {
  fc.assert(fc.property(fc.bigInt(), (nano) => nanoOf(dollarsOf(nano)) === nano));
});

test('sums are exact where floating point is not', () => {
  expect(sumDollars(['0.1', '0.2'])).toBe('0.3');
  expect(sumDollars(['8999999.999999999', '0.000000001'])).toBe('9000000');
  expect(sumDollars([])).toBe('0');
});

test('texts are plain decimals without trailing zeros', () => {
  expect(dollarsOf(610_000_000n)).toBe('0.61');
  expect(dollarsOf(-1n)).toBe('-0.000000001');
  expect(dollarsOf(3_000_000_000n)).toBe('3');
});
