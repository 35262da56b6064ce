/**
 * The most recent values of one dimension of a lane, with first and last sight. Two parallel arrays instead of a map of
 * objects: at 100,000 lanes the difference is gigabytes. `latest` remembers where the last hit was, because the usual next
 * value is the same one.
 */
export interface ValueTable {
  values: string[];
  /** First and last sight of each value, epoch milliseconds, side by side. Of people: of their latest stay (`stays.ts`). */
  sights: number[];
  /** Index of the value touched last. */
  latest: number;
  /** What few tables need; null in the others. */
  more: TableExtras | null;
}

export interface TableExtras {
  /** Where each value is, once they are too many to be looked through. */
  index: Map<string, number> | null;
  /** Stays before the latest one, of people who came back: first and last sight of each, in order. */
  earlierStays: Map<string, number[]> | null;
  /**
   * Latest sight of all values that had to make room, or found none: what was seen later is known completely, what was seen up to
   * then is not. It is the same in whatever order events come.
   */
  forgottenMs: number;
}

/** Up to so many values are looked through faster than looked up. */
const SCANNED_MAX = 64;
/** Up to so many values a table is copied for another: pushing makes room for sixteen more, of which most lanes need none. */
const COPIED_MAX = 16;
/** A table above this lets go of a quarter at once, or each new value would cost a search through all. */
const SMALL_MAX = 1_024;

export function createValueTable(): ValueTable {
  return { values: [], sights: [], latest: 0, more: null };
}

export function extrasOf(table: ValueTable): TableExtras {
  return (table.more ??= { index: null, earlierStays: null, forgottenMs: -Infinity });
}

/** Until when sights may be missing, epoch milliseconds; -Infinity while the table has all there were. */
export function forgottenUntil(table: ValueTable): number {
  return table.more === null ? -Infinity : table.more.forgottenMs;
}

/** Where a value is, -1 when it is not held. */
export function indexOf(table: ValueTable, value: string): number {
  const { values, more } = table;
  if (values[table.latest] === value) return table.latest;
  if (more === null || more.index === null) return values.indexOf(value);
  return more.index.get(value) ?? -1;
}

/** Notes that the value at this index was seen. */
export function touch(table: ValueTable, index: number, atMs: number): void {
  const { sights } = table;
  table.latest = index;
  if (atMs > sights[index * 2 + 1]!) sights[index * 2 + 1] = atMs;
  else if (atMs < sights[index * 2]!) sights[index * 2] = atMs;
}

/** Takes in a value that is not held. */
export function addValue(table: ValueTable, value: string, firstMs: number, lastMs: number): void {
  table.latest = table.values.length;
  if (table.latest < COPIED_MAX) {
    table.values = table.values.concat([value]);
    table.sights = table.sights.concat([firstMs, lastMs]);
  } else {
    table.values.push(value);
    // One by one: pushing two would make room for more.
    table.sights.push(firstMs);
    table.sights.push(lastMs);
  }
  const { values } = table;
  const index = table.more?.index;
  if (index != null) index.set(value, table.latest);
  else if (values.length > SCANNED_MAX)
    extrasOf(table).index = new Map(values.map((held, position) => [held, position]));
}

/**
 * Makes room in a full table for a value last seen at this time: those with the oldest last sights go, one of a small table, a
 * quarter of a large one.
 * @returns false when the newcomer itself is the oldest: then there is no room for it
 */
export function makeRoom(table: ValueTable, value: string, lastMs: number): boolean {
  const { values, sights } = table;
  const extras = extrasOf(table);
  if (lastMs < extras.forgottenMs) return false;
  let stalest = 0;
  for (let index = 1; index < values.length; index++) if (isStaler(table, index, stalest)) stalest = index;
  const stalestMs = sights[stalest * 2 + 1]!;
  if (lastMs < stalestMs || (lastMs === stalestMs && value > values[stalest]!)) {
    extras.forgottenMs = lastMs;
    return false;
  }
  const going = values.length <= SMALL_MAX ? [stalest] : indicesByAge(table).slice(0, values.length >> 2);
  // Removing moves the last value to the gap, so the hindmost goes first.
  for (const index of going.sort((left, right) => right - left)) {
    extras.forgottenMs = Math.max(extras.forgottenMs, sights[index * 2 + 1]!);
    removeAt(table, index);
  }
  return true;
}

/**
 * Values in use between these instants, both included. In use is a value from its first sight to its last one; only the last one
 * counts once values had to make room, because one that came back has lost its first.
 */
export function valuesBetween(table: ValueTable, fromMs: number, toMs: number): string[] {
  const { values, sights } = table;
  const isComplete = forgottenUntil(table) === -Infinity;
  return values.filter((_, index) => sights[index * 2 + 1]! >= fromMs && (!isComplete || sights[index * 2]! <= toMs));
}

/**
 * Values that came to the others between these instants, both included: not the first one, and not those of long ago. None once
 * values had to make room, because one that comes back then looks like a new one.
 */
export function valuesAdded(table: ValueTable, fromMs: number, toMs: number): string[] {
  if (forgottenUntil(table) > -Infinity) return [];
  const { values, sights } = table;
  const firstOf = (index: number) => sights[index * 2]!;
  const baseline = values.reduce((earliest, _, index) => Math.min(earliest, firstOf(index)), Infinity);
  return values.filter((_, index) => firstOf(index) > baseline && firstOf(index) >= fromMs && firstOf(index) <= toMs);
}

/** By last sight, and by name where that is the same, so that what is held does not hang on the order of events. */
function isStaler({ values, sights }: ValueTable, index: number, than: number): boolean {
  const difference = sights[index * 2 + 1]! - sights[than * 2 + 1]!;
  return difference < 0 || (difference === 0 && values[index]! > values[than]!);
}

function indicesByAge(table: ValueTable): number[] {
  return table.values.map((_, index) => index).sort((left, right) => (isStaler(table, left, right) ? -1 : 1));
}

function removeAt({ values, sights, more }: ValueTable, index: number): void {
  const end = values.length - 1;
  const value = values[index]!;
  more?.index?.delete(value);
  more?.earlierStays?.delete(value);
  if (index !== end) {
    values[index] = values[end]!;
    sights[index * 2] = sights[end * 2]!;
    sights[index * 2 + 1] = sights[end * 2 + 1]!;
    more?.index?.set(values[index], index);
  }
  values.pop();
  sights.length -= 2;
}
