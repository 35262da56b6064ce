import type { ClickHouseClient } from '@clickhouse/client';
import { LEDGER_TABLE } from '../../contract/index.ts';
import { asLedgerErrors } from './errors.ts';

export const PROGRESS_TABLE = 'progress';

/** From where the bus is read: the ledger's own maximum per partition, what was read without a row behind it, resets that void both. */
export function ledgerResumePoint(client: ClickHouseClient, database: string) {
  const ledger = `${database}.${LEDGER_TABLE}`;

  async function rowsOf<Row>(doing: string, query: string, query_params: Record<string, unknown>): Promise<Row[]> {
    return asLedgerErrors(doing, async () => {
      const answer = await client.query({
        query,
        query_params,
        format: 'JSONCompactEachRow',
        clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
      });
      return answer.json<Row>();
    });
  }

  return {
    async resumeOffsets(partitions: number[]): Promise<Map<number, number>> {
      const latest = await rowsOf<[number, number]>(
        'reading the resume point',
        // Answered from the projection calls_by_day_and_lane: a fraction of the rows (test: it is used).
        `SELECT kafka_partition, max(kafka_offset) FROM ${ledger}
         WHERE kafka_partition IN {partitions:Array(UInt32)} GROUP BY kafka_partition`,
        { partitions },
      );
      const offsets = new Map(latest.map(([partition, offset]) => [partition, offset + 1]));
      const resets = await rowsOf<[number, number]>(
        'reading the resets of the topic',
        `SELECT partition, toUnixTimestamp64Milli(max(reset_at)) FROM ${database}.topic_resets
         WHERE partition IN {partitions:Array(UInt64)} GROUP BY partition`,
        { partitions },
      );
      for (const [partition, reset_at] of resets) {
        offsets.delete(partition);
        const since = await rowsOf<[number]>(
          'reading the resume point since a reset',
          `SELECT max(kafka_offset) FROM ${ledger}
           WHERE kafka_partition = {partition:UInt32} AND stored_at >= fromUnixTimestamp64Milli({reset_at:Int64}, 'UTC')
           HAVING count() > 0`,
          { partition, reset_at },
        );
        for (const [offset] of since) offsets.set(partition, offset + 1);
      }
      const progress = await rowsOf<[number, number, number]>(
        'reading the progress behind the last rows',
        `SELECT kafka_partition, next_offset, toUnixTimestamp64Milli(stored_at) FROM ${database}.${PROGRESS_TABLE}
         WHERE kafka_partition IN {partitions:Array(UInt32)}`,
        { partitions },
      );
      const resetAtMs = new Map(resets);
      for (const [partition, nextOffset, storedAtMs] of progress)
        if (storedAtMs >= (resetAtMs.get(partition) ?? 0) && nextOffset > (offsets.get(partition) ?? 0))
          offsets.set(partition, nextOffset);
      return offsets;
    },

    async noteProgress(nextOffsets: ReadonlyMap<number, number>, storedAtMs: number, claimant: string): Promise<void> {
      const stored_at = new Date(storedAtMs).toISOString();
      await asLedgerErrors('noting progress', () =>
        client.insert({
          table: `${database}.${PROGRESS_TABLE}`,
          values: [...nextOffsets].map(([kafka_partition, next_offset]) => ({
            kafka_partition,
            next_offset,
            stored_at,
            claimant,
          })),
          format: 'JSONEachRow',
          clickhouse_settings: { date_time_input_format: 'best_effort', wait_end_of_query: 1 },
        }),
      );
    },

    async resetPartitions(partitions: number[]): Promise<void> {
      await asLedgerErrors('noting a reset of the topic', () =>
        client.command({
          query: `INSERT INTO ${database}.topic_resets
                  SELECT kafka_partition, addMilliseconds(max(stored_at), 1) FROM (
                    SELECT kafka_partition, stored_at FROM ${ledger}
                    UNION ALL SELECT kafka_partition, stored_at FROM ${database}.${PROGRESS_TABLE})
                  WHERE kafka_partition IN {partitions:Array(UInt32)} GROUP BY kafka_partition`,
          query_params: { partitions },
        }),
      );
    },
  };
}
