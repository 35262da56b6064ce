import { expect, test } from 'vitest';
import { ledgerQuerySchema } from '../../contract/index.ts';
import { ReadTooLargeError } from '../clickhouse.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { readLedger } from './query.ts';
import { readTotals } from './totals.ts';

/** A ledger that answers each query, told by its text, with rows or a fault. */
function ledger(answer: (sql: string) => object[] | Error): ClickHouse {
  return {
    database: 'test',
    rows: async <Row>(sql: string) => {
      const rows = answer(sql);
      if (rows instanceof Error) throw rows;
      return rows as Row[];
    },
    stream: () => Promise.reject(new Error('not used')),
    download: () => {
      throw new Error('not used');
    },
    mirror: () => Promise.resolve(),
    refreshMirror: () => Promise.resolve(),
    fill: () => Promise.resolve(0),
    writeProviderTotals: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}
const tooLarge = new ReadTooLargeError(new Error('rows'));
const uncountable = (error: Error) => ledger((sql) => (sql.includes('uniqExactIf') ? error : []));

test('rows are shown without totals when counting takes more than its budget', async () => {
  const page = await readLedger(uncountable(tooLarge), ledgerQuerySchema.parse({}));
  expect(page).toEqual({ items: [], next_cursor: null, totals: null });
});

test('a fault of our own in counting is not hidden', async () => {
  const fault = new Error('unknown column');
  await expect(readLedger(uncountable(fault), ledgerQuerySchema.parse({}))).rejects.toBe(fault);
});

test('what is over the budget is summed from the roll-up where that knows the filter, and else told as far as it was counted', async () => {
  const store = ledger((sql) => {
    if (sql.includes('uniqExactIf')) return tooLarge;
    if (sql.includes("read_overflow_mode = 'break'")) return [{ events: '5000000', cost: '7' }];
    return sql.includes('toDate(seen_at) <') ? [{ events: '90', cost: '1.5' }] : [{ events: '10', cost: '0.25' }];
  });
  const bounds = { from: '2026-11-21T00:00:00Z', to: '2026-11-28T02:30:00Z' };
  const rolledUp = { is_complete: true, events: 100, cost_usd: '1.75', sessions: null };
  expect(await readTotals(store, { ...bounds, lane: ['a'] })).toEqual(rolledUp);
  const counted = { is_complete: false, events: 5_000_000, cost_usd: '7', sessions: null };
  expect(await readTotals(store, { ...bounds, user: ['ada'] })).toEqual(counted);
  expect(await readTotals(store, { ...bounds, from: '2026-11-21T00:00:01Z' })).toEqual(counted);
});
