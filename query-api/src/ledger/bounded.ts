import { WINDOWS } from '../../contract/index.ts';
import type { Window } from '../../contract/index.ts';
import { ReadTooLargeError } from '../clickhouse.ts';
import { windowStartMs } from './window.ts';

/** What a page about values may cost: rows looked at, and seconds. Seven days of a ledger of 100 M rows over 90 days are within it. */
const ROWS_MAX = 12_000_000;
const SECONDS_MAX = 4;

/** Settings that end a read which is more than a page is worth. */
export const BOUNDED_SQL = `SETTINGS max_rows_to_read = ${ROWS_MAX}, max_execution_time = ${SECONDS_MAX}`;

/**
 * Reads over a window, or over the longest shorter one that can be counted: figures are exact for the bounds they are said to have, never
 * of some of the rows. The engine refuses what is too large before it reads, so that trying costs little.
 * @param read counts from an instant on, within {@link BOUNDED_SQL}
 * @throws {ReadTooLargeError} where even an hour is too much
 */
export async function readWithin<Result>(
  window: Window,
  nowMs: number,
  read: (fromMs: number, window: Window) => Promise<Result>,
): Promise<{ result: Result; fromMs: number; isComplete: boolean }> {
  const shorter = WINDOWS.slice(0, WINDOWS.indexOf(window) + 1).reverse();
  for (const one of shorter) {
    const fromMs = windowStartMs(one, nowMs);
    try {
      return { result: await read(fromMs, one), fromMs, isComplete: one === window };
    } catch (error) {
      if (!(error instanceof ReadTooLargeError) || one === WINDOWS[0]) throw error;
    }
  }
  throw new Error('a window is one of the windows');
}

/** What a read brings, or null where it is more than it may be. */
export async function unlessTooLarge<Result>(read: Promise<Result>): Promise<Result | null> {
  try {
    return await read;
  } catch (error) {
    if (error instanceof ReadTooLargeError) return null;
    throw error;
  }
}
