import type { ClickHouseClient } from '@clickhouse/client';
import { findingsSql } from './findings.ts';
import { withLaneDictionary } from './lane-table.ts';
import { generatedLanes } from './lanes.ts';
import { daysOfRows, rowsSql } from './rows.ts';

/** What a generated ledger is made of. */
export interface LedgerShape {
  rows: number;
  lanes: number;
  days: number;
  seed: number;
  /** The end of the last day, epoch milliseconds; the same shape with the same end has the same rows. */
  nowMs: number;
}

/** Rows of one INSERT at most: its memory is some kilobyte a row while it sorts. */
const ROWS_PER_INSERT = 1_200_000;
/** People of the organisation, some of whom use several keys. */
const PEOPLE_PER_LANE = 1.2;
const PEOPLE_MIN = 60;

/** A day is one part for each day of storing, like a batch is. */
const INSERT_SETTINGS = {
  async_insert: 0,
  insert_deduplicate: 0,
  max_insert_threads: '1',
  max_block_size: '65536',
  min_insert_block_size_rows: String(ROWS_PER_INSERT),
  min_insert_block_size_bytes: '0',
  max_memory_usage: '0',
  wait_end_of_query: 1,
} as const;

/**
 * Writes a generated ledger: rows day by day, then the findings they carry. The ledger's tables, and claims of every partition, must be
 * there.
 * @param credentialIds registry ids by index of the lane
 * @param onProgress hears how many rows are written, after every statement
 */
export async function fillLedger(
  client: ClickHouseClient,
  database: string,
  shape: LedgerShape,
  credentialIds: ReadonlyMap<number, string>,
  onProgress: (rows: number) => void = () => undefined,
): Promise<void> {
  const people = Math.max(PEOPLE_MIN, Math.round(shape.lanes * PEOPLE_PER_LANE));
  await withLaneDictionary(client, generatedLanes(shape.seed, shape.lanes), credentialIds, async (dictionary) => {
    for (const day of daysOfRows(shape.rows, shape.days, shape.nowMs)) {
      const pieces = Math.max(1, Math.ceil((day.endRow - day.firstRow) / ROWS_PER_INSERT));
      const step = Math.ceil((day.endRow - day.firstRow) / pieces);
      for (let firstRow = day.firstRow; firstRow < day.endRow; firstRow += step) {
        const endRow = Math.min(day.endRow, firstRow + step);
        await client.command({
          query: rowsSql({ database, dictionary }, { ...shape, people }, { ...day, firstRow, endRow }),
          clickhouse_settings: INSERT_SETTINGS,
        });
        onProgress(endRow);
      }
    }
  });
  await client.command({ query: findingsSql(database), clickhouse_settings: { max_memory_usage: '0' } });
}
