import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { ClickHouseClient } from '@clickhouse/client';
import { LEDGER_COLUMNS, LEDGER_TABLE } from '../../contract/index.ts';
import { asLedgerErrors } from './errors.ts';
import { INSERT_ROWS_MAX, type RowBlock } from './ledger.ts';
import { LedgerBlock } from './native/ledger-block.ts';

/** Blocks kept for the next batch: one fills, one waits, one is being stored. */
const IDLE_BLOCKS_MAX = 3;
/** Above what a block of {@link INSERT_ROWS_MAX} rows can be, so that ClickHouse never writes a batch as two parts. */
const BLOCK_ROWS_MAX = 1_048_449;

export interface LedgerInsert {
  newBlock(): RowBlock;
  insert(block: RowBlock, claimant: string): Promise<void>;
}

/**
 * The statement that stores a batch. The wait in a claim recognises running inserts by the table's name in it.
 */
function insertStatement(database: string): string {
  const columns = LEDGER_COLUMNS.map(({ name }) => `\`${name}\``).join(', ');
  return `INSERT INTO ${database}.${LEDGER_TABLE} (${columns}) FORMAT Native`;
}

/**
 * Makes the function that writes a batch as one part.
 * @param timeLimitMs after which an insert is given up; shorter than the consumer's session time-out, so that a batch is
 *   over before its partitions can belong to somebody else
 */
export function ledgerInsert(client: ClickHouseClient, database: string, timeLimitMs: number): LedgerInsert {
  const query = insertStatement(database);
  const idle: LedgerBlock[] = [];

  async function send(block: Buffer): Promise<void> {
    const { stream } = await client.exec({
      query,
      values: Readable.from([block], { objectMode: false }),
      abort_signal: AbortSignal.timeout(timeLimitMs),
      clickhouse_settings: {
        max_insert_threads: '1',
        max_insert_block_size: String(BLOCK_ROWS_MAX),
        min_insert_block_size_rows: String(BLOCK_ROWS_MAX),
        max_execution_time: Math.ceil(timeLimitMs / 1000),
        // The answer comes when the part is there, with its status; not a 200 first and an exception in the body.
        wait_end_of_query: 1,
      },
    });
    stream.resume();
    await finished(stream);
  }

  return {
    newBlock() {
      const block = idle.pop() ?? new LedgerBlock();
      block.start();
      return block;
    },
    async insert(block, claimant) {
      if (block.length > INSERT_ROWS_MAX)
        throw new RangeError(`a batch has ${block.length} rows, at most ${INSERT_ROWS_MAX} stay one part`);
      if (!(block instanceof LedgerBlock)) throw new TypeError('the block is not one of this ledger');
      if (block.length > 0) await asLedgerErrors('storing a batch', () => send(block.bytes(claimant)));
      // Only after success: what failed is sent again, and an assignment that ends may leave a request behind that still reads it.
      if (idle.length < IDLE_BLOCKS_MAX) idle.push(block);
    },
  };
}
