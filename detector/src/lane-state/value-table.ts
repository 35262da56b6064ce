/**
 * The most recent values of one dimension of a lane, with first and last sight. Two parallel arrays instead of a map of
 * objects: at 100,000 lanes the difference is gigabytes. Most recently touched first, so that the usual hit is the first look.
 */
export interface ValueTable {
  values: string[];
  /** first and last sight of each value, epoch milliseconds, side by side. */
  sights: number[];
}

export function createValueTable(): ValueTable {
  return { values: [], sights: [] };
}

/**
 * Notes that `value` was seen. Beyond `valuesMax` the value with the oldest last sight is forgotten.
 * @returns last sight before this one, or NaN when the value is new
 */
export function touch(table: ValueTable, value: string, atMs: number, valuesMax: number): number {
  const { values, sights } = table;
  const index = values[0] === value ? 0 : values.indexOf(value);
  if (index === -1) {
    if (values.length === valuesMax) forgetStalest(table);
    values.unshift(value);
    sights.unshift(atMs, atMs);
    return NaN;
  }
  const previousLast = sights[index * 2 + 1]!;
  const first = Math.min(sights[index * 2]!, atMs);
  const last = Math.max(previousLast, atMs);
  if (index === 0) {
    sights[0] = first;
    sights[1] = last;
    return previousLast;
  }
  values.splice(index, 1);
  sights.splice(index * 2, 2);
  values.unshift(value);
  sights.unshift(first, last);
  return previousLast;
}

/** Puts back a value as the ledger knows it. */
export function restoreValue(table: ValueTable, value: string, firstMs: number, lastMs: number): void {
  table.values.push(value);
  table.sights.push(firstMs, lastMs);
}

/** Values whose last sight is within `windowMs` of `atMs`, either side: events don't arrive in order of their time. */
export function valuesWithin(table: ValueTable, atMs: number, windowMs: number): string[] {
  return table.values.filter((_, index) => Math.abs(table.sights[index * 2 + 1]! - atMs) < windowMs);
}

/** The value with the latest last sight, '' when there is none. */
export function latestValue(table: ValueTable): string {
  let latest = -1;
  for (let index = 0; index < table.values.length; index++) {
    if (latest === -1 || table.sights[index * 2 + 1]! > table.sights[latest * 2 + 1]!) latest = index;
  }
  return latest === -1 ? '' : table.values[latest]!;
}

function forgetStalest({ values, sights }: ValueTable): void {
  let stalest = 0;
  for (let index = 1; index < values.length; index++) {
    if (sights[index * 2 + 1]! < sights[stalest * 2 + 1]!) stalest = index;
  }
  values.splice(stalest, 1);
  sights.splice(stalest * 2, 2);
}
