import { z } from 'zod';
import type { CredentialsPage, credentialsQuerySchema, Mark } from '../../contract/index.ts';
import { decodeCursor, encodeCursor } from '../http/cursor.ts';
import type { LastUses } from './last-uses.ts';
import { hasMark, marksOf, ownersOfTooManyOldKeys } from './marks.ts';
import { isWeaklyGoverned, itemOf, statusAt } from './record.ts';
import type { CredentialRow } from './record.ts';
import type { RegistrySnapshot } from './view.ts';

type Query = z.output<typeof credentialsQuerySchema>;
type Sort = Query['sort'];

/** The value that a list is sorted by, and the id: a text by name and id, else an instant. Another order's cursor fits none. */
const textCursor = z.tuple([z.string().max(400), z.string().max(64)]);
const instantCursor = z.tuple([z.number(), z.string().max(64)]);
const cursorShapeOf = (sort: Sort) => (sort === 'name' || sort === 'id' ? textCursor : instantCursor);
type Place = [value: string | number, id: string];

/** What an order was made for, so that pages of one list share it. */
interface Ordered {
  rows: readonly CredentialRow[];
  lastUses: number;
}
const orders = new WeakMap<RegistrySnapshot, Map<Sort, Ordered>>();
const texts = new WeakMap<CredentialRow, string>();

/** What a key is searched by, in lower case. */
function textOf(row: CredentialRow): string {
  let text = texts.get(row);
  if (text === undefined) {
    text = `${row.name}\n${row.id}\n${row.hint}\n${row.owner}\n${row.org}`.toLowerCase();
    texts.set(row, text);
  }
  return text;
}

function valueOf(row: CredentialRow, sort: Sort, lastUses: LastUses): string | number {
  switch (sort) {
    case 'created':
      return row.created_at.getTime();
    case 'name':
      return row.name.toLowerCase();
    case 'id':
      return row.id;
    case 'expires':
      // What never expires comes after everything that does.
      return row.expires_at?.getTime() ?? Number.MAX_SAFE_INTEGER;
    case 'last_used': {
      const lastUse = lastUses.of(row.id);
      return typeof lastUse === 'number' ? lastUse : 0;
    }
  }
}

const before = (one: Place, other: Place): number =>
  one[0] < other[0] ? -1 : one[0] > other[0] ? 1 : one[1] < other[1] ? -1 : one[1] > other[1] ? 1 : 0;

/** All keys, lowest value first. Sorted once per version of the registry, however many pages are read. */
function ordered(snapshot: RegistrySnapshot, sort: Sort, lastUses: LastUses): readonly CredentialRow[] {
  const held = orders.get(snapshot)?.get(sort);
  if (held !== undefined && (sort !== 'last_used' || held.lastUses === lastUses.version)) return held.rows;
  const places = snapshot.all.map((row) => ({ row, place: [valueOf(row, sort, lastUses), row.id] as Place }));
  const rows = places.sort((one, other) => before(one.place, other.place)).map(({ row }) => row);
  const ofSnapshot = orders.get(snapshot) ?? new Map<Sort, Ordered>();
  orders.set(snapshot, ofSnapshot.set(sort, { rows, lastUses: lastUses.version }));
  return rows;
}

/**
 * A page of credentials and the totals of the whole registry. Throws CursorError. The registry is in memory, so that filters, marks and
 * every order cost one pass over it and no page more than its own rows.
 */
export function listCredentials(
  parts: { snapshot: RegistrySnapshot; lastUses: LastUses; nowMs: number },
  query: Query,
): CredentialsPage {
  const { snapshot, lastUses, nowMs } = parts;
  const tooManyOldOf = ownersOfTooManyOldKeys(snapshot.all, nowMs);
  const marks = (row: CredentialRow) => marksOf(row, { lastUse: lastUses.of(row.id), nowMs, tooManyOldOf });
  const isMarked = (row: CredentialRow, mark: Mark) =>
    hasMark(row, mark, { lastUse: lastUses.of(row.id), nowMs, tooManyOldOf });
  const fits = filterOf(query, nowMs, isMarked);
  const rows = ordered(snapshot, query.sort, lastUses);
  const isUpwards = (query.order ?? (query.sort === 'name' || query.sort === 'id' ? 'asc' : 'desc')) === 'asc';
  const after = query.cursor === undefined ? null : decodeCursor(query.cursor, cursorShapeOf(query.sort));
  const placeOf = (row: CredentialRow): Place => [valueOf(row, query.sort, lastUses), row.id];

  const totals = { total: rows.length, active: 0, expired: 0, revoked: 0 };
  const page: CredentialRow[] = [];
  let matching = 0;
  let hasMore = false;
  for (let step = 0; step < rows.length; step++) {
    const row = rows[isUpwards ? step : rows.length - 1 - step]!;
    totals[statusAt(row, nowMs)]++;
    if (!fits(row)) continue;
    matching++;
    if (hasMore || (after !== null && before(placeOf(row), after) * (isUpwards ? 1 : -1) <= 0)) continue;
    if (page.length === query.limit) hasMore = true;
    else page.push(row);
  }
  return {
    items: page.map((row) => itemOf(row, { lastUse: lastUses.of(row.id), marks: marks(row), nowMs })),
    next_cursor: hasMore ? encodeCursor(placeOf(page.at(-1)!)) : null,
    totals,
    matching,
  };
}

const orNone = (wanted: string, value: string): boolean => (wanted === 'none' ? '' : wanted) === value;

function filterOf(
  query: Query,
  nowMs: number,
  isMarked: (row: CredentialRow, mark: Mark) => boolean,
): (row: CredentialRow) => boolean {
  const { status, kind, module, environment, project, team, owner, mark, weakly_governed: weak } = query;
  const needle = query.q?.trim().toLowerCase() ?? '';
  return (row) =>
    (status === undefined || statusAt(row, nowMs) === status) &&
    (kind === undefined || row.kind === kind) &&
    (module === undefined || orNone(module, row.module)) &&
    (environment === undefined || orNone(environment, row.environment)) &&
    (project === undefined || row.project === project) &&
    (team === undefined || row.team === team) &&
    (owner === undefined || row.owner === owner) &&
    (needle === '' || textOf(row).includes(needle)) &&
    (weak === undefined || (isWeaklyGoverned(row) && statusAt(row, nowMs) === 'active')) &&
    (mark === undefined || isMarked(row, mark));
}
