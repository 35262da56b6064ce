import { LEDGER_COLUMNS } from '@lanewatch/detector/contract';
import { z } from 'zod';
import type { LedgerItem, LedgerPage, LedgerQuery } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { cursorInstant, decodeCursor, encodeCursor } from '../http/cursor.ts';
import { instantSql, ledgerFilter, storableMs } from './filter.ts';
import { rowsSince } from './scope.ts';
import type { Scope } from './scope.ts';
import { readExactTotals } from './totals.ts';
import { instantOf } from './window.ts';

/** seen_at and the place on the bus: unique for ever, so that a page ends at the same row however many arrive meanwhile. */
const UINT32_MAX = 2 ** 32 - 1;
const cursorShape = z.tuple([
  cursorInstant,
  z.number().int().min(0).max(UINT32_MAX),
  z.number().int().min(0),
  z.number().int().min(0).max(UINT32_MAX),
]);

const ORDER_COLUMNS = ['ledger.seen_at', 'kafka_partition', 'kafka_offset', 'record_index'];
/** The other columns are read for the rows of the page alone, once it is known which these are. */
const LAZY_SQL = 'query_plan_max_limit_for_lazy_materialization = 1000';
/** Columns of an item as SQL: instants as epoch milliseconds, money as text; what the contract leaves out is left out. */
export const HIDDEN_COLUMNS = new Set<string>(['event_hash', 'claimant', 'evidence', 'lane_profile']);
const SELECT_SQL = LEDGER_COLUMNS.filter(({ name }) => !HIDDEN_COLUMNS.has(name))
  .map(({ name, type }) => {
    if (type.startsWith('DateTime64')) return `toUnixTimestamp64Milli(ledger.\`${name}\`) AS \`${name}\``;
    if (type.startsWith('Decimal')) return `toString(ledger.\`${name}\`) AS \`${name}\``;
    // Negative on corrections, in two's complement.
    if (name.startsWith('tokens_')) return `toInt64(ledger.\`${name}\`) AS \`${name}\``;
    return `ledger.\`${name}\` AS \`${name}\``;
  })
  .join(', ');

const INSTANTS = ['time', 'received_at', 'seen_at', 'stored_at'] as const;
const NUMBERS = [
  'status_code',
  'tokens_input_uncached',
  'tokens_cache_read',
  'tokens_cache_write',
  'tokens_output',
  'latency_ms',
  'kafka_partition',
  'kafka_offset',
  'record_index',
] as const;

type LedgerRowJson = Omit<LedgerItem, (typeof INSTANTS)[number]> & Record<(typeof INSTANTS)[number], number | string>;

function itemOf(row: LedgerRowJson): LedgerItem {
  const item = { ...row } as LedgerItem;
  for (const name of INSTANTS) item[name] = instantOf(Number(row[name]));
  for (const name of NUMBERS) item[name] = Number(row[name]);
  return item;
}

/**
 * A page of rows, newest first unless asked otherwise, and on the first page, unless they are not wanted, the totals of everything that the filter matches: null
 * where they can't be counted within a budget. Throws CursorError.
 */
export async function readLedger(store: ClickHouse, query: LedgerQuery): Promise<LedgerPage> {
  const filter = ledgerFilter(query);
  const isCounted = query.cursor === undefined && query.totals !== false;
  const [items, totals] = await Promise.all([
    readRows(store, query, filter),
    isCounted ? readExactTotals(store, filter) : null,
  ]);
  const page = items.slice(0, query.limit);
  const last = page.at(-1);
  return {
    items: page,
    next_cursor:
      items.length > page.length && last !== undefined
        ? encodeCursor([Date.parse(last.seen_at), last.kafka_partition, last.kafka_offset, last.record_index])
        : null,
    totals,
  };
}

/**
 * How far back rows are looked for first, in milliseconds. Most pages are filled by recent ones, and parts of days before are not even
 * opened then; what is too rare for that is looked for in everything, which filters per granule make cheap for the rare.
 */
const STRETCHES_MS = [6 * 3_600_000, 3 * 24 * 3_600_000];

/** One row more than the page holds, which tells whether another page follows. */
async function readRows(store: ClickHouse, query: LedgerQuery, filter: Scope): Promise<LedgerItem[]> {
  const parameters: Record<string, unknown> = { ...filter.parameters, row_limit: query.limit + 1 };
  let { where } = filter;
  const isAscending = query.order === 'asc';
  const read = (condition: string, values: Record<string, unknown>): Promise<LedgerItem[]> =>
    readSorted(store, condition, values, isAscending ? 'ASC' : 'DESC');
  let newestMs = query.to === undefined ? Date.now() : Math.min(Date.now(), storableMs(query.to));
  if (query.cursor !== undefined) {
    const [seenAt, partition, offset, index] = decodeCursor(query.cursor, cursorShape);
    Object.assign(parameters, { c_seen_at: seenAt, c_partition: partition, c_offset: offset, c_index: index });
    // The first comparison alone lets the engine skip what is newer than the cursor; the tuple then decides exactly.
    const beyond = isAscending ? '>' : '<';
    where += ` AND ledger.seen_at ${beyond}= ${instantSql('c_seen_at')} AND (${ORDER_COLUMNS.join(', ')}) ${beyond}
      (${instantSql('c_seen_at')}, {c_partition:UInt32}, {c_offset:UInt64}, {c_index:UInt32})`;
    newestMs = seenAt;
  }
  const fromMs = query.from === undefined ? -Infinity : storableMs(query.from);
  for (const stretchMs of isAscending ? [] : STRETCHES_MS) {
    const sinceMs = newestMs - stretchMs;
    if (sinceMs <= fromMs || query.place !== undefined) break;
    const stretch = rowsSince(sinceMs, 'stretch', 'ledger.');
    const rows = await read(`${where} AND ${stretch.where}`, { ...parameters, ...stretch.parameters });
    if (rows.length > query.limit) return rows;
  }
  return read(where, parameters);
}

async function readSorted(
  store: ClickHouse,
  where: string,
  parameters: Record<string, unknown>,
  direction: 'ASC' | 'DESC',
): Promise<LedgerItem[]> {
  const rows = await store.rows<LedgerRowJson>(
    `SELECT ${SELECT_SQL} FROM ${store.database}.ledger AS ledger WHERE ${where}
     ORDER BY ${ORDER_COLUMNS.map((column) => `${column} ${direction}`).join(', ')} LIMIT {row_limit:UInt32}
     SETTINGS ${LAZY_SQL}`,
    parameters,
  );
  return rows.map(itemOf);
}
