import { extrasOf, type ValueTable } from './value-table.ts';

/*
 * A person's sights on a lane, kept as stays: sights with less than the window between neighbours are one stay, from first to last.
 * A window that touches a stay holds a sight of it and one that touches none holds no sight, so that nothing is lost of who was
 * there in any window, in a few numbers, whatever the order of events. Somebody in steady use has one stay.
 */

/** Stays told apart of each person; those before are taken for one. */
export const STAYS_MAX = 8;

/**
 * Notes that the person at this index was seen.
 * @returns whether that began a stay: they were not seen within the window before or after it
 */
export function touchStay(table: ValueTable, index: number, atMs: number, windowMs: number): boolean {
  const { sights } = table;
  table.latest = index;
  const first = sights[index * 2]!;
  const last = sights[index * 2 + 1]!;
  if (atMs >= first && atMs - last < windowMs) {
    if (atMs > last) sights[index * 2 + 1] = atMs;
    return false;
  }
  const stays = [...(table.more?.earlierStays?.get(table.values[index]!) ?? []), first, last];
  const began = insertSight(stays, atMs, windowMs);
  setStays(table, index, stays);
  return began;
}

/** Puts the stays of the person at this index in place: first and last sight of each, in order. */
export function setStays(table: ValueTable, index: number, stays: readonly number[]): void {
  const latest = stays.length - 2;
  table.sights[index * 2] = stays[latest]!;
  table.sights[index * 2 + 1] = stays[latest + 1]!;
  const value = table.values[index]!;
  if (latest === 0) {
    table.more?.earlierStays?.delete(value);
    return;
  }
  const extras = extrasOf(table);
  const tooMany = Math.max(0, stays.length / 2 - STAYS_MAX);
  const earlier = [stays[0]!, ...stays.slice(tooMany * 2 + 1, latest)];
  (extras.earlierStays ??= new Map()).set(value, earlier);
}

/** A window of so many milliseconds, from its first to its last one, and how many people it saw. */
export interface PeopleWindow {
  fromMs: number;
  toMs: number;
  people: number;
}

/** Of the windows that hold this instant the one that saw most people, the earliest of several. */
export function busiestWindow(table: ValueTable, atMs: number, windowMs: number): PeopleWindow {
  // A stay is in the windows that begin from `first - windowMs + 1` to `last`; those that hold the instant begin from here to it.
  let fromMs = atMs - windowMs + 1;
  let people = 0;
  const changes: { fromMs: number; by: number }[] = [];
  eachStay(table, (_value, first, last) => {
    if (last < fromMs || first >= atMs + windowMs) return;
    if (first <= atMs) people++;
    else changes.push({ fromMs: first - windowMs + 1, by: 1 });
  });
  if (changes.length > 0) {
    eachStay(table, (_value, _first, last) => {
      if (last >= fromMs && last < atMs) changes.push({ fromMs: last + 1, by: -1 });
    });
    changes.sort((left, right) => left.fromMs - right.fromMs || left.by - right.by);
    let there = people;
    for (const change of changes) {
      there += change.by;
      if (there <= people) continue;
      people = there;
      fromMs = change.fromMs;
    }
  }
  return { fromMs, toMs: fromMs + windowMs - 1, people };
}

/** Whether some window that holds this instant saw at least so many people. */
export function sawPeople(table: ValueTable, atMs: number, windowMs: number, atLeast: number): boolean {
  const { values, sights } = table;
  // Mostly the window up to the instant tells, and those who came last, so that a lane of thousands is not gone through each time.
  let people = 0;
  for (let index = values.length - 1; index >= 0 && people < atLeast; index--)
    if (sights[index * 2]! <= atMs && sights[index * 2 + 1]! > atMs - windowMs) people++;
  return people >= atLeast || busiestWindow(table, atMs, windowMs).people >= atLeast;
}

/** The people that a window saw. */
export function peopleIn(table: ValueTable, { fromMs, toMs }: PeopleWindow): string[] {
  const people: string[] = [];
  eachStay(table, (value, first, last) => {
    // Two stays of one person are further apart than a window is long.
    if (first <= toMs && last >= fromMs) people.push(value);
  });
  return people;
}

function eachStay(table: ValueTable, visit: (value: string, firstMs: number, lastMs: number) => void): void {
  const { values, sights } = table;
  const earlierStays = table.more?.earlierStays ?? null;
  for (let index = 0; index < values.length; index++) {
    const value = values[index]!;
    visit(value, sights[index * 2]!, sights[index * 2 + 1]!);
    const earlier = earlierStays?.get(value);
    if (earlier === undefined) continue;
    for (let stay = 0; stay < earlier.length; stay += 2) visit(value, earlier[stay]!, earlier[stay + 1]!);
  }
}

/** Adds a sight to stays, joining those that it closes the gap between; tells whether it became a stay of its own. */
function insertSight(stays: number[], atMs: number, windowMs: number): boolean {
  let start = 0;
  while (start < stays.length && stays[start + 1]! + windowMs <= atMs) start += 2;
  let end = start;
  while (end < stays.length && stays[end]! - windowMs < atMs) end += 2;
  const joined = stays.slice(start, end);
  stays.splice(start, end - start, Math.min(atMs, ...joined), Math.max(atMs, ...joined));
  return joined.length === 0;
}
