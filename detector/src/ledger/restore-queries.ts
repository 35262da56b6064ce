import type { ClickHouseClient, ClickHouseSettings } from '@clickhouse/client';
import { UNATTRIBUTED_LANE } from '@lanewatch/ingest/contract';
import { LEDGER_TABLE } from '../../contract/index.ts';
import { UNRESOLVED_USER } from '../lane-state/people.ts';
import { abortedBy } from './clickhouse.ts';
import { asLedgerErrors } from './errors.ts';
import { quoted } from './migrate/template.ts';

/** Restoring shares the engine with everything else: sorts and groups spill to disk rather than grow. */
export const RESTORE_SETTINGS: ClickHouseSettings = {
  max_bytes_before_external_group_by: String(1 << 30),
  max_bytes_before_external_sort: String(1 << 30),
  output_format_json_quote_64bit_integers: 0,
};

export const ENDPOINT = "if(ip != '', ip, host)";

export const IS_UNRESOLVED_USER = `match(lower(user), ${quoted(UNRESOLVED_USER)})`;

/** Order in which rows were stored; within a partition of the bus it is the order of the events. */
export const STORED_ORDER = '(stored_at, kafka_offset, record_index)';

/** What the reads of a restart have in common: whose rows they are of, and how the answer is streamed. */
export function restoreQueries(client: ClickHouseClient, database: string) {
  const ledger = `${database}.${LEDGER_TABLE}`;
  // A correction is no use of a key. Nobody holds the lane of events without a key, and it is the largest of all where many come so.
  const storedSince = `kafka_partition IN {partitions:Array(UInt32)} AND lane != ${quoted(UNATTRIBUTED_LANE)} AND joins = ''
      AND stored_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')`;
  // A lane that moved when partitions were added has rows in others too, so a lane is chosen by partition, its rows are not.
  const ofTheirLanes = `lane IN (SELECT lane FROM ${ledger} WHERE ${storedSince})`;

  async function eachRow<Row>(
    doing: string,
    query: string,
    query_params: Record<string, unknown>,
    onRow: (row: Row) => void,
    signal?: AbortSignal,
  ): Promise<void> {
    await asLedgerErrors(doing, async () => {
      const answer = await client.query({
        query,
        query_params,
        format: 'JSONCompactEachRow',
        clickhouse_settings: RESTORE_SETTINGS,
        ...abortedBy(signal),
      });
      for await (const rows of answer.stream<Row>()) {
        // The client heeds the signal only until the answer begins.
        signal?.throwIfAborted();
        for (const row of rows) onRow(row.json());
      }
    });
  }

  return { ledger, storedSince, ofTheirLanes, eachRow };
}
