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
    ['241', 'MEMORY_LIMIT_EXCEEDED', 'MEMORY_LIMIT_EXCEEDED'],
    ['60', 'UNKNOWN_TABLE', 'UNKNOWN_TABLE'],
    ['9999', undefined, 'code 9999'],
  ])('is waited for with any other code: %s', (code, type, told) => {
    const cause = new ClickHouseError({ message: '469 VIOLATED_CONSTRAINT', code, ...(type && { type }) });
    const error = ledgerErrorOf(cause, 'storing a batch');
    expect(error).toBeInstanceOf(LedgerUnavailableError);
    expect(error.message).toBe(`storing a batch: ClickHouse answered ${told}`);
    expect(error.cause).toBe(cause);
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
