import type { LedgerPage, LedgerTotals } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { unlessTooLarge } from './bounded.ts';
import { ledgerFilter, storableMs } from './filter.ts';
import type { LedgerFilters } from './filter.ts';
import { sumDollars } from './money.ts';
import { dayOf } from './scope.ts';
import type { Scope } from './scope.ts';
import { withTypedTerms } from './typed-filter.ts';
import { DAY_MS, instantOf } from './window.ts';

/** What counting may cost: rows looked at, and seconds. A page of rows is there long before; this is what its sums are worth. */
const ROWS_MAX = 5_000_000;
const SECONDS_MAX = 1.5;
export const BUDGET_SQL = `max_rows_to_read = ${ROWS_MAX}, max_execution_time = ${SECONDS_MAX}`;

interface Sums {
  events: number | string;
  cost: string;
  sessions?: number | string;
}

const SUMS_SQL = `sum(calls) AS events, toString(sum(cost_usd)) AS cost`;
const SESSIONS_SQL = `uniqExactIf(session, session != '') AS sessions`;

/** What the rows of a filter come to, every one of them counted; null where that takes more than the budget. */
export async function readExactTotals(store: ClickHouse, { where, parameters }: Scope): Promise<LedgerPage['totals']> {
  const sums = await unlessTooLarge(
    store.rows<Sums>(
      `SELECT ${SUMS_SQL}, ${SESSIONS_SQL} FROM ${store.database}.ledger AS ledger WHERE ${where} SETTINGS ${BUDGET_SQL}`,
      parameters,
    ),
  );
  if (sums === null) return null;
  const { events = 0, cost = '0', sessions = 0 } = sums[0] ?? {};
  return { events: Number(events), cost_usd: cost, sessions: Number(sessions) };
}

/**
 * What the rows of a filter come to: exactly where the budget lasts or the roll-up knows, else what was counted by then, which is said.
 */
export async function readTotals(store: ClickHouse, asked: LedgerFilters): Promise<LedgerTotals> {
  const typed = withTypedTerms(asked);
  // What no parameter says stays typed.
  const query = typed.terms.length === 0 ? typed.query : asked;
  const exact = await readExactTotals(store, ledgerFilter(query));
  if (exact !== null) return { is_complete: true, ...exact };
  const summed = await readFromRollUp(store, query);
  if (summed !== null) return { is_complete: true, ...summed, sessions: null };
  const { where, parameters } = ledgerFilter(query);
  // What is over the budget ends the count and not the query.
  const [sums] = await store.rows<Sums>(
    `SELECT ${SUMS_SQL} FROM ${store.database}.ledger AS ledger WHERE ${where}
     SETTINGS ${BUDGET_SQL}, read_overflow_mode = 'break', timeout_overflow_mode = 'break'`,
    parameters,
  );
  return { is_complete: false, events: Number(sums?.events ?? 0), cost_usd: sums?.cost ?? '0', sessions: null };
}

/** Columns that the roll-up by lane and day has beside the day. */
const ROLLED_UP = ['lane', 'standing', 'credential_id'] as const;
const BOUNDS = ['from', 'to'] as const;

/**
 * Events and cost by whole UTC days, and of rows for what is left of the last one; null where the filter names anything else, begins
 * inside a day, or its last day is too large.
 */
async function readFromRollUp(
  store: ClickHouse,
  query: LedgerFilters,
): Promise<Pick<LedgerTotals, 'events' | 'cost_usd'> | null> {
  const known = new Set<string>([...ROLLED_UP, ...BOUNDS]);
  const named = (Object.keys(query) as (keyof LedgerFilters)[]).filter((name) => query[name] !== undefined);
  const fromMs = query.from === undefined ? null : storableMs(query.from);
  if (!named.every((name) => known.has(name)) || (fromMs ?? 0) % DAY_MS !== 0) return null;
  const toMs = query.to === undefined ? null : storableMs(query.to);
  const lastDayMs = toMs === null ? null : Math.floor(toMs / DAY_MS) * DAY_MS;
  const conditions = ROLLED_UP.filter((name) => query[name] !== undefined).map(
    (name) => `${name} IN {f_${name}:Array(String)}`,
  );
  const parameters: Record<string, unknown> = Object.fromEntries(
    ROLLED_UP.map((name) => [`f_${name}`, query[name] ?? []]),
  );
  if (fromMs !== null) {
    conditions.push('toDate(seen_at) >= {from_day:Date}', '_partition_id >= {from_partition:String}');
    Object.assign(parameters, { from_day: dayOf(fromMs), from_partition: dayOf(fromMs - DAY_MS).replaceAll('-', '') });
  }
  if (lastDayMs !== null) {
    conditions.push('toDate(seen_at) < {to_day:Date}');
    parameters['to_day'] = dayOf(lastDayMs);
  }
  const rest = lastDayMs === null || lastDayMs === toMs ? null : ledgerFilter({ ...query, from: instantOf(lastDayMs) });
  const [days, lastRows] = await Promise.all([
    store.rows<Sums>(
      `SELECT ${SUMS_SQL} FROM ${store.database}.ledger WHERE ${conditions.length === 0 ? '1' : conditions.join(' AND ')}`,
      parameters,
    ),
    rest === null
      ? []
      : unlessTooLarge(
          store.rows<Sums>(
            `SELECT ${SUMS_SQL} FROM ${store.database}.ledger AS ledger WHERE ${rest.where} SETTINGS ${BUDGET_SQL}`,
            rest.parameters,
          ),
        ),
  ]);
  if (lastRows === null) return null;
  const parts = [...days, ...lastRows];
  return {
    events: parts.reduce((total, { events }) => total + Number(events), 0),
    cost_usd: sumDollars(parts.map(({ cost }) => cost)),
  };
}
