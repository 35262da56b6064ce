import { expect, test } from 'vitest';
import { ledgerQuerySchema } from '../../contract/index.ts';
import { ReadTooLargeError } from '../clickhouse.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { readLedger } from './query.ts';

/** A ledger without rows, where counting them fails. */
function uncountable(error: Error): ClickHouse {
  return {
    database: 'test',
    rows: (sql) => (sql.includes('uniqExactIf') ? Promise.reject(error) : Promise.resolve([])),
    stream: () => Promise.reject(new Error('not used')),
    mirror: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

test('rows are shown without totals when counting takes too much, and the log hears of it', async () => {
  const faults: unknown[] = [];
  const tooLarge = new ReadTooLargeError(new Error('memory'));
  const page = await readLedger(uncountable(tooLarge), ledgerQuerySchema.parse({}), (error) => faults.push(error));
  expect(page).toEqual({ items: [], next_cursor: null, totals: null });
  expect(faults).toEqual([tooLarge]);
});

test('a fault of our own in counting is not hidden', async () => {
  const fault = new Error('unknown column');
  await expect(readLedger(uncountable(fault), ledgerQuerySchema.parse({}), () => undefined)).rejects.toBe(fault);
});
