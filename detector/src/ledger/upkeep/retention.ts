import type { ClickHouseClient } from '@clickhouse/client';
import { LEDGER_TABLE } from '../../../contract/index.ts';
import { PROGRESS_TABLE } from '../resume-point.ts';

const ROUND_MS = 3_600_000;
const RETRY_MS = 60_000;
const DAY_MS = 86_400_000;

export interface RetentionOptions {
  client: ClickHouseClient;
  database: string;
  /** Days that are kept, today's not counted; 0 keeps everything. */
  days: number;
  /** Days after which a day moves to `coldVolume`; 0 moves none. */
  coldDays: number;
  /** Volume of the ledger's storage policy. */
  coldVolume: string;
  /** Epoch milliseconds. */
  now: () => number;
  /** Rejects when the signal fires. */
  wait: (ms: number, signal: AbortSignal) => Promise<unknown>;
  /** Hears each day that is gone, as `2026-11-20`. */
  onDropped: (day: string) => void;
  onFault: (error: unknown) => void;
}

/**
 * Drops the ledger's days that are older than they have to be kept, whole partitions, so that it costs nothing: the day counts in which
 * rows were stored. Several detectors may do it at once, since to drop a day that is gone is no fault.
 * @returns a function that stops it
 */
export function startRetention(options: RetentionOptions): () => void {
  const { wait, onFault } = options;
  const closing = new AbortController();
  const { signal } = closing;

  async function run(): Promise<void> {
    while (!signal.aborted) {
      let pause = ROUND_MS;
      try {
        await applyRetention(options);
      } catch (error) {
        onFault(error);
        pause = RETRY_MS;
      }
      await wait(pause, signal).catch(() => undefined);
    }
  }
  if (options.days > 0 || options.coldDays > 0) void run();
  return () => closing.abort();
}

/** One round: what is too old now goes, oldest first, so that what is left is always everything since a day. */
export async function applyRetention(options: RetentionOptions): Promise<void> {
  const { client, database, days, coldDays, coldVolume, now, onDropped } = options;
  const ledger = `${database}.${LEDGER_TABLE}`;
  /** The first day that is younger than this many days. */
  const firstOf = (count: number) => new Date(now() - count * DAY_MS).toISOString().slice(0, 10);

  async function daysBefore(day: string, where: string, query_params: Record<string, unknown> = {}): Promise<string[]> {
    const answer = await client.query({
      query: `SELECT DISTINCT partition FROM system.parts
              WHERE database = {database:String} AND table = {table:String} AND active AND partition < {day:String} AND ${where}
              ORDER BY partition`,
      query_params: { database, table: LEDGER_TABLE, day, ...query_params },
      format: 'JSONCompactEachRow',
    });
    return (await answer.json<[string]>()).map(([found]) => found);
  }

  /**
   * Where the bus was read to is the ledger's own highest offset. Of a partition that has been quiet since, the rows that go are the last
   * that tell it; `progress` keeps it then, under whoever holds the partition now.
   */
  async function keepResumePoints(day: string): Promise<void> {
    await client.command({
      query: `INSERT INTO ${database}.${PROGRESS_TABLE} (kafka_partition, next_offset, stored_at, claimant)
              SELECT kafka_partition, (argMax((kafka_offset, stored_at), (stored_at, kafka_offset)) AS last).1 + 1, last.2,
                dictGet('${database}.claims_by_partition', 'claimant', toUInt64(kafka_partition))
              FROM ${ledger} WHERE toDate(stored_at) = {day:Date} GROUP BY kafka_partition`,
      query_params: { day },
      clickhouse_settings: { wait_end_of_query: 1 },
    });
  }

  if (days > 0)
    for (const day of await daysBefore(firstOf(days), '1')) {
      await keepResumePoints(day);
      await client.command({ query: `ALTER TABLE ${ledger} DROP PARTITION '${day}'` });
      onDropped(day);
    }
  if (coldDays > 0)
    for (const day of await daysBefore(firstOf(coldDays), 'disk_name NOT IN {cold:Array(String)}', {
      cold: await disksOf(client, database, coldVolume),
    }))
      await client.command({ query: `ALTER TABLE ${ledger} MOVE PARTITION '${day}' TO VOLUME '${coldVolume}'` });
}

/**
 * The disks of a volume of the policy that the ledger is stored by.
 * @throws Error when its policy has no such volume
 */
async function disksOf(client: ClickHouseClient, database: string, volume: string): Promise<string[]> {
  const answer = await client.query({
    query: `SELECT disks FROM system.storage_policies WHERE volume_name = {volume:String} AND policy_name =
              (SELECT storage_policy FROM system.tables WHERE database = {database:String} AND name = {table:String})`,
    query_params: { volume, database, table: LEDGER_TABLE },
    format: 'JSONCompactEachRow',
  });
  const [row] = await answer.json<[string[]]>();
  if (row === undefined)
    throw new Error(`The storage policy of ${database}.${LEDGER_TABLE} has no volume ${volume} (LEDGER_COLD_VOLUME)`);
  return row[0];
}
