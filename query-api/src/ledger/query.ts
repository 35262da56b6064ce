import { LEDGER_COLUMNS } from '@lanewatch/detector/contract';
import { TIME_MAX_MS, TIME_MIN_MS } from '@lanewatch/ingest/contract';
import { z } from 'zod';
import { LEDGER_FILTER_COLUMNS } from '../../contract/index.ts';
import type { LedgerItem, LedgerPage, LedgerQuery } from '../../contract/index.ts';
import { ReadTooLargeError, StoreUnavailableError } from '../clickhouse.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { cursorInstant, decodeCursor, encodeCursor } from '../http/cursor.ts';
import { fieldProblem } from '../http/problem.ts';
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
const STATUS_CODE_MAX = 65_535;

interface Filter {
  where: string;
  parameters: Record<string, unknown>;
}

const instantSql = (name: string): string => `fromUnixTimestamp64Milli({${name}:Int64}, 'UTC')`;

/**
 * The WHERE clause of a ledger query. Column names come from the contract's closed list; values are parameters only.
 * @throws {ProblemError} for a status code that is no number
 */
function ledgerFilter(query: LedgerQuery): Filter {
  const conditions: string[] = [];
  const parameters: Record<string, unknown> = {};
  for (const column of LEDGER_FILTER_COLUMNS) {
    const values = query[column];
    if (values === undefined) continue;
    const numeric = column === 'status_code';
    parameters[`f_${column}`] = numeric ? values.map(statusCodeOf) : values;
    conditions.push(`has({f_${column}:Array(${numeric ? 'UInt16' : 'String'})}, ledger.\`${column}\`)`);
  }
  for (const column of query.without ?? []) {
    conditions.push(`ledger.\`${column}\` = ${column === 'status_code' ? '0' : "''"}`);
  }
  if (query.finding !== undefined) {
    parameters['f_finding'] = query.finding;
    conditions.push('has(findings, {f_finding:String})');
  }
  if (query.flag !== undefined) {
    parameters['f_flag'] = query.flag;
    conditions.push('has(flags, {f_flag:String})');
  }
  if (query.from !== undefined) {
    parameters['f_from'] = storableMs(query.from);
    conditions.push(`ledger.seen_at >= ${instantSql('f_from')}`);
  }
  if (query.to !== undefined) {
    parameters['f_to'] = storableMs(query.to);
    conditions.push(`ledger.seen_at < ${instantSql('f_to')}`);
  }
  return { where: conditions.length === 0 ? '1' : conditions.join(' AND '), parameters };
}

/** Bounds beyond what the ledger holds are moved to its edge, where the engine would wrap around. */
function storableMs(instant: string): number {
  return Math.min(Math.max(Date.parse(instant), TIME_MIN_MS), TIME_MAX_MS);
}

function statusCodeOf(text: string): number {
  const code = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (!(code <= STATUS_CODE_MAX)) throw fieldProblem('status_code', 'must be a whole number such as 429');
  return code;
}

/** Columns of an item as SQL: instants as epoch milliseconds, money as text; what the contract leaves out is left out. */
const HIDDEN_COLUMNS = new Set<string>(['event_hash', 'claimant']);
const SELECT_SQL = LEDGER_COLUMNS.filter(({ name }) => !HIDDEN_COLUMNS.has(name))
  .map(({ name, type }) => {
    if (type.startsWith('DateTime64')) return `toUnixTimestamp64Milli(ledger.\`${name}\`) AS \`${name}\``;
    if (type.startsWith('Decimal')) return `toString(ledger.\`${name}\`) AS \`${name}\``;
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

/** Rows do not wait longer than this for what all of them come to. */
const TOTALS_PATIENCE = { patienceMs: 10_000 };

/**
 * A page of rows, newest first, and on the first page the totals of everything that the filter matches. Throws CursorError.
 * @param onUncounted hears why there are rows without totals
 */
export async function readLedger(
  store: ClickHouse,
  query: LedgerQuery,
  onUncounted: (error: unknown) => void,
): Promise<LedgerPage> {
  const filter = ledgerFilter(query);
  const [items, totals] = await Promise.all([
    readRows(store, query, filter),
    query.cursor === undefined ? readTotals(store, filter, onUncounted) : null,
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

async function readTotals(
  store: ClickHouse,
  { where, parameters }: Filter,
  onUncounted: (error: unknown) => void,
): Promise<LedgerPage['totals']> {
  try {
    const [totals] = await store.rows<{ events: number | string; cost: string; sessions: number | string }>(
      `SELECT count() AS events, toString(sum(cost_usd)) AS cost, uniqExactIf(session, session != '') AS sessions
       FROM ${store.database}.ledger AS ledger WHERE ${where}`,
      parameters,
      TOTALS_PATIENCE,
    );
    const { events = 0, cost = '0', sessions = 0 } = totals ?? {};
    return { events: Number(events), cost_usd: cost, sessions: Number(sessions) };
  } catch (error) {
    if (!(error instanceof ReadTooLargeError) && !(error instanceof StoreUnavailableError)) throw error;
    onUncounted(error);
    return null;
  }
}

/** One row more than the page holds, which tells whether another page follows. */
async function readRows(store: ClickHouse, query: LedgerQuery, filter: Filter): Promise<LedgerItem[]> {
  const parameters: Record<string, unknown> = { ...filter.parameters, row_limit: query.limit + 1 };
  let where = filter.where;
  if (query.cursor !== undefined) {
    const [seenAt, partition, offset, index] = decodeCursor(query.cursor, cursorShape);
    Object.assign(parameters, { c_seen_at: seenAt, c_partition: partition, c_offset: offset, c_index: index });
    // The first comparison alone lets the engine skip what is newer than the cursor; the tuple then decides exactly.
    where += ` AND ledger.seen_at <= ${instantSql('c_seen_at')} AND (${ORDER_COLUMNS.join(', ')}) <
      (${instantSql('c_seen_at')}, {c_partition:UInt32}, {c_offset:UInt64}, {c_index:UInt32})`;
  }
  const rows = await store.rows<LedgerRowJson>(
    `SELECT ${SELECT_SQL} FROM ${store.database}.ledger AS ledger WHERE ${where}
     ORDER BY ${ORDER_COLUMNS.map((column) => `${column} DESC`).join(', ')} LIMIT {row_limit:UInt32}`,
    parameters,
  );
  return rows.map(itemOf);
}
