import { z } from 'zod';
import type { EntitiesPage, EntitiesQuery, Entity, EntityKind, Window } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { CursorError, decodeCursor, encodeCursor } from '../http/cursor.ts';
import { standingsSql } from '../lanes/states.ts';
import { instantSql } from '../ledger/filter.ts';
import { rowsSince, windowScope } from '../ledger/scope.ts';
import type { Scope } from '../ledger/scope.ts';
import { instantOf } from '../ledger/window.ts';
import { BOUNDED_SQL, readWithin } from '../ledger/bounded.ts';
import { readEntities } from './entities.ts';
import { kindSql } from './kinds.ts';
import { readSeenBefore } from './seen-before.ts';

/** Lanes whose key is unknown now and was not refused every time, as SQL. Standing is that of the lane in the window, as every page has it. */
export function unknownLanesSql(database: string, window: Window, nowMs: number): string {
  return `SELECT lane FROM (${standingsSql(database, windowScope(window, nowMs))}) WHERE standing = 'unknown' AND NOT is_refused`;
}

/** What values are sorted by, as SQL over the rows of one, and its type there, which holds it exactly. */
const sortsSql = (unknownLanes: string): Record<EntitiesQuery['sort'], { key: string; type: string }> => ({
  last_seen: { key: 'toUnixTimestamp64Milli(max(ledger.seen_at))', type: 'Int64' },
  first_seen: { key: 'toUnixTimestamp64Milli(min(ledger.seen_at))', type: 'Int64' },
  events: { key: 'toInt64(sum(ledger.calls))', type: 'Int64' },
  cost: { key: 'sum(ledger.cost_usd)', type: 'Decimal(38, 9)' },
  keys: { key: `toInt64(uniqExactIf(ledger.lane, ledger.lane != 'unattributed'))`, type: 'Int64' },
  unknown_keys: { key: `toInt64(uniqExactIf(ledger.lane, ledger.lane IN (${unknownLanes})))`, type: 'Int64' },
  value: { key: 'lowerUTF8(value)', type: 'String' },
});

/** The order that the place is one of; then the place: what it is sorted by, and the value itself to tell equals apart. */
const cursorShape = z.tuple([z.string(), z.string().max(600), z.string().max(600)]);
const NUMBER_PLACE = /^-?\d{1,29}(\.\d{1,9})?$/;
const orderOf = (kind: EntityKind, { sort, order }: EntitiesQuery): string => `${kind} ${sort} ${order}`;

/** Throws CursorError, also for a place in another order: it would cut this one anywhere. */
function placeOf(kind: EntityKind, query: EntitiesQuery): { key: string; value: string } | null {
  if (query.cursor === undefined) return null;
  const [order, key, value] = decodeCursor(query.cursor, cursorShape);
  if (order !== orderOf(kind, query) || (query.sort !== 'value' && !NUMBER_PLACE.test(key))) throw new CursorError();
  return { key, value };
}

interface Place {
  value: string;
  place: string;
}

/** One page of values as SQL: which, and where in the order; one more than the page holds. Throws CursorError. */
function placesSql(
  database: string,
  kind: EntityKind,
  query: EntitiesQuery,
  scopes: { rows: Scope; fromMs: number; window: Window; nowMs: number },
): { sql: string; parameters: Record<string, unknown> } {
  const unknownLanes = unknownLanesSql(database, scopes.window, scopes.nowMs);
  const { key, type } = sortsSql(unknownLanes)[query.sort];
  const { value } = kindSql(kind);
  const where = [scopes.rows.where];
  const parameters: Record<string, unknown> = {
    ...scopes.rows.parameters,
    ...windowScope(scopes.window, scopes.nowMs).parameters,
    ...rowsSince(scopes.fromMs, 'window').parameters,
    ...{ now: scopes.nowMs, rows: query.limit + 1 },
  };
  const seenOn = (lanes: string): string =>
    `SELECT ${value} FROM ${database}.ledger AS ledger WHERE ledger.lane IN (${lanes}) AND ${rowsSince(scopes.fromMs, 'window', 'ledger.').where}`;
  if (query.q !== undefined && query.q.trim() !== '') {
    where.push('positionCaseInsensitiveUTF8(value, {f_needle:String}) > 0');
    parameters['f_needle'] = query.q.trim();
  }
  if (query.lane !== undefined) {
    where.push('ledger.lane = {f_lane:String}');
    parameters['f_lane'] = query.lane;
  }
  if (query.unknown !== undefined) where.push(`value ${query.unknown ? '' : 'NOT '}IN (${seenOn(unknownLanes)})`);
  if (query.new !== undefined) {
    where.push(
      `value ${query.new ? 'NOT ' : ''}IN (SELECT ${value} FROM ${database}.ledger AS ledger WHERE ledger.seen_at < ${instantSql('window')})`,
    );
  }
  const place = placeOf(kind, query);
  const having =
    place === null
      ? ''
      : `HAVING (${key}, value) ${query.order === 'asc' ? '>' : '<'} ({c_key:${type}}, {c_value:String})`;
  if (place !== null) Object.assign(parameters, { c_key: place.key, c_value: place.value });
  const direction = query.order === 'asc' ? 'ASC' : 'DESC';
  return {
    sql: `SELECT ${value} AS value, toString(${key}) AS place FROM ${database}.ledger AS ledger
      WHERE ${where.join(' AND ')} GROUP BY value ${having}
      ORDER BY ${key} ${direction}, value ${direction} LIMIT {rows:UInt32} ${BOUNDED_SQL}`,
    parameters,
  };
}

/** Newest first, the values of a page are mostly among the rows of the last hours. */
const STRETCHES_MS = [3_600_000, 24 * 3_600_000];

async function readPlaces(
  store: ClickHouse,
  kind: EntityKind,
  query: EntitiesQuery,
  scopes: { fromMs: number; window: Window; nowMs: number },
): Promise<Place[]> {
  const read = (sinceMs: number): Promise<Place[]> => {
    const rows = rowsSince(sinceMs, 'since', 'ledger.');
    const { sql, parameters } = placesSql(store.database, kind, query, { rows, ...scopes });
    return store.rows<Place>(sql, parameters);
  };
  if (query.sort === 'last_seen' && query.order === 'desc') {
    for (const stretchMs of STRETCHES_MS) {
      const sinceMs = scopes.nowMs - stretchMs;
      if (sinceMs <= scopes.fromMs) break;
      const places = await read(sinceMs);
      if (places.length > query.limit) return places;
    }
  }
  return read(scopes.fromMs);
}

/** Filters, sorts and cuts out one page: which values it has is read over all of them, everything about them for these alone. Throws CursorError. */
export async function readEntitiesPage(
  store: ClickHouse,
  kind: EntityKind,
  query: EntitiesQuery,
  nowMs: number,
): Promise<EntitiesPage> {
  const { result, fromMs, isComplete } = await readWithin(query.window, nowMs, async (countedMs, window) => {
    const places = await readPlaces(store, kind, query, { fromMs: countedMs, window, nowMs });
    const page = places.slice(0, query.limit);
    const values = page.map(({ value }) => value);
    const [found, seenBefore] = await Promise.all([
      readEntities(store, kind, values, { fromMs: countedMs, window, nowMs, lane: query.lane }),
      readSeenBefore(store, kind, values, countedMs),
    ]);
    const items = values.flatMap((value): Entity[] => {
      const entity = found.get(value);
      return entity === undefined ? [] : [{ ...entity, is_new: !seenBefore.has(value) }];
    });
    const last = page.at(-1);
    const hasMore = places.length > page.length && last !== undefined;
    return { items, next: hasMore ? encodeCursor([orderOf(kind, query), last.place, last.value]) : null };
  });
  return {
    window: query.window,
    from: instantOf(fromMs),
    to: instantOf(result.items.reduce((toMs, { last_seen }) => Math.max(toMs, Date.parse(last_seen) + 1), nowMs)),
    is_complete: isComplete,
    items: result.items,
    next_cursor: result.next,
  };
}
