import type { Window } from '../../contract/index.ts';
import { instantOf, isOfDays, windowStartMs } from './window.ts';

/**
 * Rows are stored after they were seen, but by another machine's clock: so much later a part may begin to be left unread. More than
 * clocks that are kept in time differ.
 */
export const CLOCKS_MS = 5 * 60_000;

/** A condition on the ledger's rows, and its parameters. */
export interface Scope {
  where: string;
  parameters: Record<string, unknown>;
}

/**
 * `seen_at` from an instant on, and the same of what was stored before it, which leaves whole parts unread.
 * @param table its name and a dot, where a query gives these names to something else as well
 */
export function rowsSince(fromMs: number, name = 'from', table = ''): Scope {
  return {
    where: `${table}seen_at >= fromUnixTimestamp64Milli({${name}:Int64}, 'UTC')
      AND ${table}stored_at >= fromUnixTimestamp64Milli({${name}_stored:Int64}, 'UTC')`,
    parameters: { [name]: fromMs, [`${name}_stored`]: fromMs - CLOCKS_MS },
  };
}

/**
 * Everything of a window. Windows of days are said in the words of the roll-up by lane and day, so that what is summed over them is read
 * from it and not from rows; they go by the table's partitions, because the roll-up has no `stored_at`.
 */
export function windowScope(window: Window, nowMs: number): Scope {
  const fromMs = windowStartMs(window, nowMs);
  if (!isOfDays(window)) return rowsSince(fromMs);
  return {
    where: 'toDate(seen_at) >= {from_day:Date} AND _partition_id >= {from_partition:String}',
    parameters: { from_day: dayOf(fromMs), from_partition: dayOf(fromMs - CLOCKS_MS).replaceAll('-', '') },
  };
}

/** The UTC day of an instant, `2026-11-28`. */
export function dayOf(instantMs: number): string {
  return instantOf(instantMs).slice(0, 10);
}
