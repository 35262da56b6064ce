import type { ClickHouse } from '../clickhouse.ts';
import { instantOf } from '../ledger/window.ts';

/** The detector's migration with which names became canonical. */
const NAMES_MIGRATION = 30;

/** When names became canonical in this installation, epoch milliseconds; null before the detector has migrated. */
export async function readCanonicalSince(store: ClickHouse): Promise<number | null> {
  const [row] = await store.rows<{ applied: number | string }>(
    `SELECT toUnixTimestamp64Milli(min(applied_at)) AS applied FROM ${store.database}.schema_migrations
     WHERE version = {version:UInt32} HAVING count() > 0`,
    { version: NAMES_MIGRATION },
  );
  return row === undefined ? null : Number(row.applied);
}

/**
 * Until when a lane's rows in a window have names as they were sent; null where it has none such: it was first seen later, or the window
 * begins later.
 */
export function namesAsSentUntil(canonicalSinceMs: number | null, fromMs: number, firstSeenMs: number): string | null {
  if (canonicalSinceMs === null || fromMs >= canonicalSinceMs || firstSeenMs >= canonicalSinceMs) return null;
  return instantOf(canonicalSinceMs);
}
