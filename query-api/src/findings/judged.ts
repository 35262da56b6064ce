import type { ClickHouse } from '../clickhouse.ts';
import { JUDGED_SQL } from './rows.ts';
import type { JudgedRow } from './rows.ts';

/** The lane of a fingerprint's hint and org, as `laneOf` has it: a decision about it answers the fingerprint's lane, too. */
export const HINT_LANE_SQL = `if(fingerprint != '' AND hint != '' AND org != '',
  concat('hint_', substring(lower(hex(SHA256(concat(hint, '\\n', org)))), 1, 32)), '')`;

/** Names that fit into one request. */
const NAMES_PER_REQUEST = 100;
/** With more decisions than so many requests can name, all findings are looked at. */
export const REQUESTS_MAX = 5;

/** Findings with what they are judged by, one after the other. */
export function readJudged(
  store: ClickHouse,
  where: string,
  parameters: Record<string, unknown>,
  onRow: (row: JudgedRow) => void,
): Promise<void> {
  return store.stream<JudgedRow>(
    `SELECT ${JUDGED_SQL} FROM ${store.database}.findings AS findings FINAL WHERE ${where}`,
    parameters,
    onRow,
  );
}

/** Names in portions for one request each. */
export function chunksOf(names: readonly string[]): string[][] {
  return Array.from({ length: Math.ceil(names.length / NAMES_PER_REQUEST) }, (_, index) =>
    names.slice(index * NAMES_PER_REQUEST, (index + 1) * NAMES_PER_REQUEST),
  );
}
