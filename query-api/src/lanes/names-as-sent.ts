import type { ClickHouse } from '../clickhouse.ts';
import { instantOf } from '../ledger/window.ts';

/** The detector's migration with which names became canonical. */
const NAMES_MIGRATION = 30;

/** A new installation applies all migrations within seconds, before it stores anything. */
const FIRST_START_MS = 10 * 60_000;

/**
 * When names became canonical in this installation, epoch milliseconds; null before the detector has migrated, and where they were so from
 * the first row on.
 */
export async function readCanonicalSince(store: ClickHouse): Promise<number | null> {
  const [row] = await store.rows<{ applied: number | string; begun: number | string }>(
    `SELECT toUnixTimestamp64Milli(minIf(applied_at, version = {version:UInt32})) AS applied,
       toUnixTimestamp64Milli(min(applied_at)) AS begun FROM ${store.database}.schema_migrations
     HAVING countIf(version = {version:UInt32}) > 0`,
    { version: NAMES_MIGRATION },
  );
  return row === undefined ? null : canonicalSinceOf(Number(row.applied), Number(row.begun));
}

/** From which of its migrations on an installation has rows to tell apart. Both epoch milliseconds. Pure. */
export function canonicalSinceOf(appliedMs: number, begunMs: number): number | null {
  return appliedMs - begunMs < FIRST_START_MS ? null : appliedMs;
}

/**
 * Until when a lane's rows in a window have names as they were sent; null where it has none such: it was first seen later, or the window
 * begins later.
 */
export function namesAsSentUntil(canonicalSinceMs: number | null, fromMs: number, firstSeenMs: number): string | null {
  if (canonicalSinceMs === null || fromMs >= canonicalSinceMs || firstSeenMs >= canonicalSinceMs) return null;
  return instantOf(canonicalSinceMs);
}
