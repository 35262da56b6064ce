import { ClickHouseError } from '@clickhouse/client';
import { describe, expect, it } from 'vitest';
import { ledgerErrorOf } from './errors.ts';
import { FencedError, LedgerUnavailableError } from './ledger.ts';

const clickHouseError = (code: string, type: string) =>
  new ClickHouseError({ message: 'whatever it says', code, type });

describe('a failure of ClickHouse', () => {
  it('is a fence when the constraint refused the batch', () => {
    const error = ledgerErrorOf(clickHouseError('469', 'VIOLATED_CONSTRAINT'), 'storing a batch');
    expect(error).toBeInstanceOf(FencedError);
    expect(error.message).toContain('storing a batch');
  });

  it.each([
    ['159', 'TIMEOUT_EXCEEDED'],
    ['202', 'TOO_MANY_SIMULTANEOUS_QUERIES'],
    ['241', 'MEMORY_LIMIT_EXCEEDED'],
    ['242', 'TABLE_IS_READ_ONLY'],
    ['243', 'NOT_ENOUGH_SPACE'],
    ['252', 'TOO_MANY_PARTS'],
    ['999', 'KEEPER_EXCEPTION'],
  ])('passes by itself with code %s', (code, type) => {
    const cause = clickHouseError(code, type);
    const error = ledgerErrorOf(cause, 'storing a batch');
    expect(error).toBeInstanceOf(LedgerUnavailableError);
    expect(error.message).toBe(`storing a batch: ClickHouse answered ${type}`);
    expect(error.cause).toBe(cause);
  });

  it.each([
    ['60', 'UNKNOWN_TABLE'],
    ['62', 'SYNTAX_ERROR'],
    ['516', 'AUTHENTICATION_FAILED'],
  ])('comes through unchanged with code %s, because trying again is no help', (code, type) => {
    const cause = clickHouseError(code, type);
    expect(ledgerErrorOf(cause, 'storing a batch')).toBe(cause);
  });

  it('is decided by the code, whatever the text says', () => {
    const cause = new ClickHouseError({
      message: 'Code: 469 VIOLATED_CONSTRAINT timeout',
      code: '47',
      type: 'UNKNOWN_IDENTIFIER',
    });
    expect(ledgerErrorOf(cause, 'storing a batch')).toBe(cause);
  });

  it.each([
    Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }),
    Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' }),
    new Error('Timeout error.'),
    new DOMException('The operation was aborted due to timeout', 'TimeoutError'),
    new Error('<html>502 Bad Gateway</html>'),
  ])('is unavailability when nothing of ClickHouse came back: %s', (cause) => {
    expect(ledgerErrorOf(cause, 'storing a batch')).toBeInstanceOf(LedgerUnavailableError);
  });

  it('is not taken for unavailability when this code is wrong', () => {
    const cause = new TypeError('rows is not iterable');
    expect(ledgerErrorOf(cause, 'storing a batch')).toBe(cause);
  });

  it('stays what it is when it was told apart before', () => {
    const fenced = new FencedError('no');
    expect(ledgerErrorOf(fenced, 'claiming')).toBe(fenced);
  });
});
