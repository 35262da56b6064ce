import type { ClickHouseClient } from '@clickhouse/client';
import {
  canonicalHint,
  credentialRecordKey,
  expiredFromMs,
  revokedFromMs,
  TIME_MAX_MS,
  TIME_MIN_MS,
  type CredentialRecord,
} from '@lanewatch/ingest/contract';

/** The registry's newest records in ClickHouse, a row per record key. */
export const CREDENTIALS_TABLE = 'credentials';
/** The same in memory: by record key, and the records that share a hint. */
export const CREDENTIALS_BY_KEY = 'credentials_by_key';
export const CREDENTIALS_BY_HINT = 'credentials_by_hint';

/** A row of the credentials table as JSONEachRow takes it; columns left out have their defaults. */
export type MirroredCredential = ReturnType<typeof mirroredOf>;

/** The row of a record. Instants beyond what a column holds are moved to its edge. */
export function mirroredOf(record: CredentialRecord) {
  const { status: _status, scopes, hint, ...rest } = record;
  return {
    ...rest,
    record_key: credentialRecordKey(record),
    hint: canonicalHint(hint),
    scopes: JSON.stringify(scopes),
    created_at: storable(record.created_at),
    expires_at: storable(record.expires_at),
    revoked_at: storable(record.revoked_at),
    grace_ends_at: storable(record.grace_ends_at),
    revoked_from: storable(revokedFromMs(record)),
    expired_from: storable(expiredFromMs(record)),
    is_removed: 0,
  };
}

function storable(instant: string | number | null): string | null {
  if (instant === null || instant === Infinity) return null;
  const atMs = typeof instant === 'number' ? instant : Date.parse(instant);
  return new Date(Math.min(Math.max(atMs, TIME_MIN_MS), TIME_MAX_MS)).toISOString();
}

/**
 * Copies rows into the credentials table. Writing a row again changes nothing, so it may be done by whoever has the record, in any number
 * of processes.
 * @param rows a few thousand at most, because they are sent as one request
 */
export async function insertMirrored(
  client: Pick<ClickHouseClient, 'insert'>,
  database: string,
  rows: readonly object[],
): Promise<void> {
  await client.insert({
    table: `${database}.${CREDENTIALS_TABLE}`,
    values: rows,
    format: 'JSONEachRow',
    clickhouse_settings: {
      async_insert: 0,
      // A record that comes back to an earlier state is no repetition of it.
      insert_deduplicate: 0,
      date_time_input_format: 'best_effort',
      wait_end_of_query: 1,
    },
  });
}

/** Has the dictionaries read the table again, all of it: when it resolves, every query of this server sees what was copied. */
export async function reloadMirrored(client: Pick<ClickHouseClient, 'command'>, database: string): Promise<void> {
  for (const dictionary of [CREDENTIALS_BY_KEY, CREDENTIALS_BY_HINT])
    await client.command({ query: `SYSTEM RELOAD DICTIONARY ${database}.${dictionary}` });
}
