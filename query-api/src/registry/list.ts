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

/** An order of all keys. */
interface Ordered {
  rows: readonly CredentialRow[];
  /** The version of the registry and of the last uses that it was made for. */
  version: number;
  lastUses: number;
}
/** The last orders of a registry, by its own index, which all of its versions share. */
const orders = new WeakMap<RegistrySnapshot['byId'], Map<Sort, Ordered>>();
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

const compare = (one: Place, other: Place): number =>
  one[0] < other[0] ? -1 : one[0] > other[0] ? 1 : one[1] < other[1] ? -1 : one[1] > other[1] ? 1 : 0;

/**
 * All keys, lowest value first. Sorted once per version of the registry, however many pages are read; from the order of the version before,
 * which most changes leave as it is.
 */
function ordered(snapshot: RegistrySnapshot, sort: Sort, lastUses: LastUses): readonly CredentialRow[] {
  const { all, byId, version } = snapshot;
  const ofRegistry = orders.get(byId) ?? new Map<Sort, Ordered>();
  const held = ofRegistry.get(sort);
  if (held?.version === version && (sort !== 'last_used' || held.lastUses === lastUses.version)) return held.rows;
  // Keys are never taken out of the index, and new ones stand at the end of it.
  const before = held === undefined ? [] : held.rows.map(({ id }) => byId.get(id)!);
  const whole = [...before, ...all.slice(before.length)];
  const rows = isInOrder(whole, sort, lastUses) ? whole : inOrder(whole, sort, lastUses);
  orders.set(byId, ofRegistry.set(sort, { rows, version, lastUses: lastUses.version }));
  return rows;
}

function isInOrder(rows: readonly CredentialRow[], sort: Sort, lastUses: LastUses): boolean {
  let last: string | number = '';
  return rows.every((row, index) => {
    const value = valueOf(row, sort, lastUses);
    const follows = index === 0 || last < value || (last === value && rows[index - 1]!.id <= row.id);
    last = value;
    return follows;
  });
}

function inOrder(rows: readonly CredentialRow[], sort: Sort, lastUses: LastUses): CredentialRow[] {
  const places = rows.map((row) => ({ row, place: [valueOf(row, sort, lastUses), row.id] as Place }));
  return places.sort((one, other) => compare(one.place, other.place)).map(({ row }) => row);
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
    statusAt(row, nowMs) === 'active' && hasMark(row, mark, { lastUse: lastUses.of(row.id), nowMs, tooManyOldOf });
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
    if (hasMore || (after !== null && compare(placeOf(row), after) * (isUpwards ? 1 : -1) <= 0)) continue;
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
