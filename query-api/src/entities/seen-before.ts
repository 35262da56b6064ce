import type { EntityKind } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { rowsSince } from '../ledger/scope.ts';
import { instantSql } from '../ledger/filter.ts';
import { kindSql } from './kinds.ts';

/** How far before the window values are looked for first. Who is there often is found in it; who is not is rare, and cheap to look for. */
const FIRST_LOOK_MS = 24 * 3_600_000;

/** Which of these values had an event before an instant. */
export async function readSeenBefore(
  store: ClickHouse,
  kind: EntityKind,
  values: readonly string[],
  fromMs: number,
): Promise<ReadonlySet<string>> {
  const { value, isOneOf } = kindSql(kind);
  const look = async (wanted: readonly string[], since: ReturnType<typeof rowsSince> | null): Promise<string[]> => {
    if (wanted.length === 0) return [];
    const rows = await store.rows<{ value: string }>(
      `SELECT DISTINCT ${value} AS value FROM ${store.database}.ledger AS ledger
       WHERE ${isOneOf('values')} AND ledger.seen_at < ${instantSql('before')}${since === null ? '' : ` AND ${since.where}`}`,
      { values: wanted, before: fromMs, ...since?.parameters },
    );
    return rows.map((row) => row.value);
  };
  const lately = await look(values, rowsSince(fromMs - FIRST_LOOK_MS, 'since', 'ledger.'));
  const seen = new Set(lately);
  const ever = await look(
    values.filter((one) => !seen.has(one)),
    null,
  );
  return new Set([...lately, ...ever]);
}
