import type { EntityKind } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { kindSql } from './kinds.ts';

/** When the ledger saw a value first and last, epoch milliseconds; null where it never did. */
export async function readEver(
  store: ClickHouse,
  kind: EntityKind,
  value: string,
): Promise<{ firstMs: number; lastMs: number } | null> {
  // By order and not by aggregate: the filters and ranges per granule then leave most of a frequent value's rows unread.
  const read = async (direction: 'ASC' | 'DESC'): Promise<number | null> => {
    const [row] = await store.rows<{ at: number | string }>(
      `SELECT toUnixTimestamp64Milli(ledger.seen_at) AS at FROM ${store.database}.ledger AS ledger
       WHERE ${kindSql(kind).isOneOf('values')} ORDER BY ledger.seen_at ${direction} LIMIT 1`,
      { values: [value] },
    );
    return row === undefined ? null : Number(row.at);
  };
  const [firstMs, lastMs] = await Promise.all([read('ASC'), read('DESC')]);
  return firstMs === null || lastMs === null ? null : { firstMs, lastMs };
}
