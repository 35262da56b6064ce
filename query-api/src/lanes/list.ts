import { z } from 'zod';
import type { LanesPage, lanesQuerySchema } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { readOpenByLane } from '../findings/open-findings.ts';
import { CursorError, decodeCursor, encodeCursor } from '../http/cursor.ts';
import { windowScope } from '../ledger/scope.ts';
import { instantOf, windowStartMs } from '../ledger/window.ts';
import type { RegistryDatabase } from '../registry/database.ts';
import type { LaneFacts } from './facts.ts';
import { laneSumsSql } from './states.ts';
import { laneOfRow, ROW_COLUMNS_SQL, completed } from './rows.ts';
import type { Answered } from './rows.ts';
import { readLanesSeenWith } from './seen-with.ts';

export type LanesQuery = z.output<typeof lanesQuerySchema>;

/** What lanes are sorted by, and its type in SQL, which holds it exactly. */
const SORTS: Record<LanesQuery['sort'], { key: string; type: string }> = {
  risk: { key: 'risk', type: 'Int64' },
  last_seen: { key: 'toUnixTimestamp64Milli(last_at)', type: 'Int64' },
  cost: { key: 'spent', type: 'Decimal(38, 9)' },
  sessions: { key: 'session_count', type: 'Int64' },
  events: { key: 'event_count', type: 'Int64' },
  hint: { key: 'lane_hint', type: 'String' },
};

/** Facts with how many sessions each lane has, which only that order needs of all lanes. */
function withSessionCounts(database: string, { window, nowMs, from }: LaneFacts): string {
  const { where } = windowScope(window, nowMs);
  const counts = laneSumsSql(database, where, ['session_count']);
  return `(SELECT facts.*, counts.session_count AS session_count FROM ${from} AS facts LEFT JOIN (${counts}) AS counts ON counts.lane = facts.lane)`;
}

/** The order that the place is one of; then the place: what it is sorted by, and last_seen and the lane itself to tell equals apart. */
const cursorShape = z.tuple([z.string(), z.string().max(600), z.number().int(), z.string().max(128)]);
const NUMBER_PLACE = /^-?\d{1,29}(\.\d{1,9})?$/;
const orderOf = ({ sort, order }: LanesQuery): string => `${sort} ${order}`;

/**
 * The place that the query's cursor names; null without one.
 * @throws {CursorError} also for a place in another order: it would cut this one anywhere
 */
function placeOf(query: LanesQuery): { key: string; lastMs: number; lane: string } | null {
  if (query.cursor === undefined) return null;
  const [order, key, lastMs, lane] = decodeCursor(query.cursor, cursorShape);
  if (order !== orderOf(query) || (query.sort !== 'hint' && !NUMBER_PLACE.test(key))) throw new CursorError();
  return { key, lastMs, lane };
}

/** A page of lanes as SQL: their rows and places, one more than the page holds. Throws CursorError. */
export function lanesPageSql(
  database: string,
  query: LanesQuery,
  facts: LaneFacts,
  seenWith: readonly string[] = [],
): { sql: string; parameters: Record<string, unknown> } {
  const { key, type } = SORTS[query.sort];
  const parameters: Record<string, unknown> = { ...facts.parameters, rows: query.limit + 1 };
  const isBySessions = query.sort === 'sessions';
  if (isBySessions) Object.assign(parameters, windowScope(facts.window, facts.nowMs).parameters);
  const conditions: string[] = [];
  const add = (condition: string, name?: string, value?: unknown): void => {
    conditions.push(condition);
    if (name !== undefined) parameters[name] = value;
  };
  if (query.standing !== undefined) add('standing = {f_standing:String}', 'f_standing', query.standing);
  for (const [name, column] of [
    ['shared', 'is_shared'],
    ['live', 'is_live'],
    ['attributed', 'is_attributed'],
  ] as const) {
    if (query[name] !== undefined) add(`${query[name] ? '' : 'NOT '}${column}`);
  }
  if (query.reason !== undefined) add('has(posture, {f_reason:String})', 'f_reason', query.reason);
  if (query.org !== undefined) add('lane_org = {f_org:String}', 'f_org', query.org);
  const needle = query.q?.trim().toLowerCase() ?? '';
  if (needle !== '') {
    const texts = ['lane_hint', 'record_name', 'lane_org', 'record_owner'];
    const holds = texts.map((text) => `position(lowerUTF8(${text}), {f_needle:String}) > 0`);
    if (seenWith.length > 0) holds.push('lane IN {f_seen_with:Array(String)}');
    add(`(startsWith(lane, {f_needle:String}) OR ${holds.join(' OR ')})`, 'f_needle', needle);
    parameters['f_seen_with'] = seenWith;
  }
  const place = placeOf(query);
  if (place !== null) {
    add(
      `(${key}, toUnixTimestamp64Milli(last_at), lane) ${query.order === 'asc' ? '>' : '<'} ({c_key:${type}}, {c_last:Int64}, {c_lane:String})`,
    );
    Object.assign(parameters, { c_key: place.key, c_last: place.lastMs, c_lane: place.lane });
  }
  const direction = query.order === 'asc' ? 'ASC' : 'DESC';
  return {
    sql: `SELECT ${ROW_COLUMNS_SQL}, toString(${key}) AS place
      FROM ${isBySessions ? withSessionCounts(database, facts) : facts.from}
      ${conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`}
      ORDER BY ${key} ${direction}, last_at ${direction}, lane ${direction} LIMIT {rows:UInt32}`,
    parameters,
  };
}

/** Filters, sorts and cuts out one page of the facts. Throws CursorError. */
export async function readLanesPage(
  store: ClickHouse,
  db: RegistryDatabase,
  query: LanesQuery,
  facts: LaneFacts,
): Promise<LanesPage> {
  const { nowMs } = facts;
  const seenWith = await readLanesSeenWith(store, query.q?.trim() ?? '', query.window, nowMs);
  const { sql, parameters } = lanesPageSql(store.database, query, facts, seenWith);
  const places = await store.rows<Answered & { place: string; last_at_ms: number | string }>(sql, parameters);
  const page = places.slice(0, query.limit);
  const names = page.map(({ lane }) => lane);
  const [rows, open] = await Promise.all([completed(store, facts, page), readOpenByLane(store, db, names, nowMs)]);
  const items = rows.map((row) => laneOfRow(row, open.get(row.lane) ?? 0, query.window));
  const last = page.at(-1);
  return {
    window: query.window,
    from: instantOf(windowStartMs(query.window, nowMs)),
    to: instantOf(items.reduce((toMs, { last_seen }) => Math.max(toMs, Date.parse(last_seen) + 1), nowMs)),
    items,
    next_cursor:
      places.length > page.length && last !== undefined
        ? encodeCursor([orderOf(query), last.place, Number(last.last_at_ms), last.lane])
        : null,
  };
}
