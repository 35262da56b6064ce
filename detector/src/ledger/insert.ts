import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { ClickHouseClient } from '@clickhouse/client';
import { LEDGER_COLUMNS, LEDGER_TABLE, type LedgerRow } from '../../contract/index.ts';
import { asLedgerErrors } from './errors.ts';
import type { BlockEncoder } from './native/block-encoder.ts';
import { ledgerBlockEncoder } from './native/ledger-block.ts';

/** Rows of one insert at most: far below the size at which ClickHouse cuts a block in two (1,048,449 rows, 256 MiB). */
const INSERT_ROWS_MAX = 200_000;
/** Encoders kept for the next batch; more inserts than this at a time make their own. */
const IDLE_ENCODERS_MAX = 2;
/** Above what a block of {@link INSERT_ROWS_MAX} rows can be, so that ClickHouse never writes a batch as two parts. */
const BLOCK_ROWS_MAX = 1_048_449;

export interface LedgerInsert {
  insert(rows: LedgerRow[], token: string): Promise<void>;
  /** Encodes a batch ahead of its insert. */
  prepare(rows: LedgerRow[]): void;
}

/** A batch in the memory of the encoder that made it. */
interface EncodedBatch {
  encoder: BlockEncoder<LedgerRow>;
  block: Buffer;
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
  const idle: BlockEncoder<LedgerRow>[] = [];

  async function send(block: Buffer, token: string): Promise<void> {
    const { stream } = await client.exec({
      query,
      values: Readable.from([block], { objectMode: false }),
      abort_signal: AbortSignal.timeout(timeLimitMs),
      clickhouse_settings: {
        insert_deduplicate: 1,
        insert_deduplication_token: token,
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

  // By the array itself: a batch is the same batch as long as it is the same array.
  const prepared = new Map<LedgerRow[], EncodedBatch>();

  function encode(rows: LedgerRow[]): EncodedBatch {
    if (rows.length > INSERT_ROWS_MAX)
      throw new RangeError(`a batch has ${rows.length} rows, at most ${INSERT_ROWS_MAX} stay one part`);
    assertOneDay(rows);
    const encoder = idle.pop() ?? ledgerBlockEncoder();
    return { encoder, block: encoder.encode(rows) };
  }

  return {
    prepare(rows) {
      // What was prepared and never sent belongs to an assignment that ended.
      if (prepared.size >= IDLE_ENCODERS_MAX) prepared.clear();
      if (rows.length > 0) prepared.set(rows, encode(rows));
    },
    async insert(rows, token) {
      if (token === '') throw new RangeError('a batch needs a token to be stored once');
      if (rows.length === 0) return;
      const { encoder, block } = prepared.get(rows) ?? encode(rows);
      prepared.delete(rows);
      await asLedgerErrors('storing a batch', () => send(block, token));
      // Only after success: a failed request may still hold on to the encoder's memory.
      if (idle.length < IDLE_ENCODERS_MAX) idle.push(encoder);
    },
  };
}

/** Two days in one batch would be two parts, which commit one by one. */
function assertOneDay(rows: LedgerRow[]): void {
  const storedAt = rows[0]?.stored_at;
  for (const row of rows)
    if (row.stored_at !== storedAt) throw new RangeError('all rows of a batch carry the same stored_at');
}
