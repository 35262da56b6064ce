import { z } from 'zod';
import type { Lane, LanesPage, lanesQuerySchema } from '../../contract/index.ts';
import { CursorError, decodeCursor, encodeCursor } from '../http/cursor.ts';
import { nanoOf } from '../ledger/money.ts';
import { isLive } from '../ledger/window.ts';
import { riskRankOf } from './posture.ts';

type LanesQuery = z.output<typeof lanesQuerySchema>;

/** Place of a lane in the order asked for: a sortable text or number, then last_seen and the lane itself to tell equals apart. */
type SortKey = readonly [number | string, number, string];
/** The order that the place is one of, and the place. */
const cursorShape = z.tuple([z.string(), z.union([z.number(), z.string()]), z.number(), z.string()]);

function sortKeyOf(lane: Lane, sort: LanesQuery['sort'], nowMs: number): SortKey {
  const lastSeenMs = Date.parse(lane.last_seen);
  const first = {
    risk: () => riskRankOf(lane, isLive(lastSeenMs, nowMs)),
    last_seen: () => lastSeenMs,
    // A float would put amounts out of order that differ in the ninth place of a large sum.
    cost: () => nanoOf(lane.cost_usd).toString().padStart(40, '0'),
    sessions: () => lane.sessions,
    events: () => lane.events,
    hint: () => lane.hint,
  }[sort]();
  return [first, lastSeenMs, lane.lane];
}

function compare(a: SortKey, b: SortKey): number {
  for (const place of [0, 1, 2] as const) {
    if (a[place] < b[place]) return -1;
    if (a[place] > b[place]) return 1;
  }
  return 0;
}

function matches(lane: Lane, query: LanesQuery, nowMs: number): boolean {
  if (query.standing !== undefined && lane.standing !== query.standing) return false;
  if (query.shared !== undefined && isShared(lane) !== query.shared) return false;
  if (query.live !== undefined && isLive(Date.parse(lane.last_seen), nowMs) !== query.live) return false;
  if (query.attributed !== undefined && isAttributed(lane) !== query.attributed) return false;
  if (query.reason !== undefined && !hasReason(lane, query.reason)) return false;
  if (query.org !== undefined && lane.org !== query.org) return false;
  if (query.q === undefined || query.q.trim() === '') return true;
  const needle = query.q.trim().toLowerCase();
  const texts = [lane.hint, lane.credential?.name ?? '', lane.org, lane.credential?.owner ?? ''];
  return lane.lane.startsWith(needle) || texts.some((text) => text.toLowerCase().includes(needle));
}

/** Whether a lane's events name a key. */
export function isAttributed({ standing }: Pick<Lane, 'standing'>): boolean {
  return standing !== 'unattributed';
}

/** Used by two or more people. Events that name no key are nobody's lane. */
export function isShared(lane: Pick<Lane, 'users' | 'standing'>): boolean {
  return lane.users >= 2 && isAttributed(lane);
}

/** Whether a lane's posture has the reason in it. */
export function hasReason({ posture }: Pick<Lane, 'posture'>, reason: Lane['posture'][number]['reason']): boolean {
  return posture.some((one) => one.reason === reason);
}

/** Sorts whose place is a text; those of the others are numbers. */
const TEXT_SORTS: readonly string[] = ['cost', 'hint'] satisfies LanesQuery['sort'][];
const orderOf = ({ sort, order }: LanesQuery): string => `${sort} ${order}`;

/**
 * The place that the query's cursor names; null without one.
 * @throws {CursorError} also for a place in another order: it would cut this one anywhere
 */
function placeOf(query: LanesQuery): SortKey | null {
  if (query.cursor === undefined) return null;
  const [order, ...place] = decodeCursor(query.cursor, cursorShape);
  const isText = typeof place[0] === 'string';
  if (order !== orderOf(query) || isText !== TEXT_SORTS.includes(query.sort)) throw new CursorError();
  return place;
}

/** Filters, sorts and cuts out one page. Throws CursorError. Pure. */
export function pageOfLanes(lanes: readonly Lane[], query: LanesQuery, nowMs: number): LanesPage {
  const direction = query.order === 'asc' ? 1 : -1;
  const after = placeOf(query);
  const sorted = lanes
    .filter((lane) => matches(lane, query, nowMs))
    .map((lane) => ({ lane, key: sortKeyOf(lane, query.sort, nowMs) }))
    .filter(({ key }) => after === null || compare(key, after) * direction > 0)
    .sort((a, b) => compare(a.key, b.key) * direction);
  const page = sorted.slice(0, query.limit);
  const last = page.at(-1);
  return {
    items: page.map(({ lane }) => lane),
    next_cursor: sorted.length > page.length && last !== undefined ? encodeCursor([orderOf(query), ...last.key]) : null,
  };
}
