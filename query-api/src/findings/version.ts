import type { ClickHouse } from '../clickhouse.ts';
import type { RegistryDatabase } from '../registry/database.ts';

/**
 * A text that is another one whenever findings were written; a merge may change it as well. To be compared only. Findings have no
 * time of storing, and the latest receipt alone would miss those of a partition that lags behind: so counts go into it, of rows as
 * they lie there, because FINAL would cost every poll a merge.
 */
export async function readFindingsVersion(store: ClickHouse, options?: { patienceMs: number }): Promise<string> {
  const [row] = await store.rows<{ version: string }>(
    `SELECT concat(toString(count()), '/', toString(sum(occurrences)), '/', toString(toUnixTimestamp64Milli(max(last_received_at)))) AS version
     FROM ${store.database}.findings`,
    {},
    options,
  );
  return row?.version ?? '';
}

/** The newest act on a finding; 0 before the first. */
export async function triageVersion(db: RegistryDatabase): Promise<number> {
  const newest = await db
    .selectFrom('finding_events')
    .select(({ fn }) => fn.max('id').as('id'))
    .executeTakeFirst();
  return Number(newest?.id ?? 0);
}
