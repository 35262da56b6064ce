import type { Window } from '../../contract/index.ts';
import { ReadTooLargeError } from '../clickhouse.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { BOUNDED_SQL } from '../ledger/bounded.ts';
import { rowsSince } from '../ledger/scope.ts';
import { windowStartMs } from '../ledger/window.ts';

const LANES_MAX = 1_000;
/** Shorter ones are part of too many names to find anything by. */
const CHARS_MIN = 3;
/** Columns that hold it anywhere; of sessions and addresses people know the beginning. */
const ANYWHERE = ['user', 'repo', 'host', 'agent'];
const BEGINNING = ['session', 'ip'];

/** Lanes of a window that were seen with a person, repository, host, agent, session or address that a text is part of. Those that can be read within a budget. */
export async function readLanesSeenWith(
  store: ClickHouse,
  text: string,
  window: Window,
  nowMs: number,
): Promise<string[]> {
  if (text.length < CHARS_MIN) return [];
  const holds = [
    ...ANYWHERE.map((column) => `positionCaseInsensitiveUTF8(\`${column}\`, {text:String}) > 0`),
    ...BEGINNING.map((column) => `startsWith(${column}, {text:String})`),
  ];
  const { where, parameters } = rowsSince(windowStartMs(window, nowMs));
  try {
    const rows = await store.rows<{ lane: string }>(
      `SELECT DISTINCT lane FROM ${store.database}.ledger WHERE ${where} AND (${holds.join(' OR ')}) LIMIT ${LANES_MAX} ${BOUNDED_SQL}`,
      { ...parameters, text },
    );
    return rows.map(({ lane }) => lane);
  } catch (error) {
    // What the registry and the lanes themselves say is found all the same.
    if (error instanceof ReadTooLargeError) return [];
    throw error;
  }
}
