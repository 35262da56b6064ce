/**
 * The most recent values of one dimension of a lane, with first and last sight. Two parallel arrays instead of a map of
 * objects: at 100,000 lanes the difference is gigabytes. `latest` remembers where the last hit was, because the usual next
 * value is the same one.
 */
export interface ValueTable {
  values: string[];
  /** first and last sight of each value, epoch milliseconds, side by side. */
  sights: number[];
  /** Index of the value touched last. */
  latest: number;
}

export function createValueTable(): ValueTable {
  return { values: [], sights: [], latest: 0 };
}

/**
 * Notes that `value` was seen. Beyond `valuesMax` it takes the place of the value with the oldest last sight.
 * @returns last sight before this one, or NaN when the value is new
 */
export function touch(table: ValueTable, value: string, atMs: number, valuesMax: number): number {
  const { values, sights } = table;
  let index = table.latest;
  if (values[index] !== value) {
    index = values.indexOf(value);
    if (index === -1) {
      index = values.length < valuesMax ? values.length : stalest(sights);
      values[index] = value;
      sights[index * 2] = atMs;
      sights[index * 2 + 1] = atMs;
      table.latest = index;
      return NaN;
    }
    table.latest = index;
  }
  const previousLast = sights[index * 2 + 1]!;
  if (atMs > previousLast) sights[index * 2 + 1] = atMs;
  else if (atMs < sights[index * 2]!) sights[index * 2] = atMs;
  return previousLast;
}

/** Puts back a value as the ledger knows it. */
export function restoreValue(table: ValueTable, value: string, firstMs: number, lastMs: number): void {
  table.values.push(value);
  table.sights.push(firstMs, lastMs);
}

/**
 * Values that were in use within `windowMs` of `atMs`, either side: events don't arrive in order of their time. In use is a value
 * from its first sight to its last one, so what an instant was shared by does not change when its people go on.
 */
export function valuesWithin(table: ValueTable, atMs: number, windowMs: number): string[] {
  const { values, sights } = table;
  return values.filter((_, index) => sights[index * 2]! < atMs + windowMs && sights[index * 2 + 1]! > atMs - windowMs);
}

/** Values of {@link valuesWithin} that came to the others within that time: not the first one, and not those of long ago. */
export function valuesAdded(table: ValueTable, atMs: number, windowMs: number): string[] {
  const { values, sights } = table;
  const firstOf = (index: number) => sights[index * 2]!;
  const baseline = values.reduce((earliest, _, index) => Math.min(earliest, firstOf(index)), Infinity);
  return values.filter(
    (_, index) => firstOf(index) > baseline && firstOf(index) > atMs - windowMs && firstOf(index) < atMs + windowMs,
  );
}

function stalest(sights: number[]): number {
  let index = 0;
  for (let position = 3; position < sights.length; position += 2) {
    if (sights[position]! < sights[index * 2 + 1]!) index = (position - 1) / 2;
  }
  return index;
}
