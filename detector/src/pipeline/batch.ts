import type { RowBlock } from '../ledger/ledger.ts';
import type { DeadLetter } from './dead-letter.ts';
import type { FindingChange } from './detection.ts';
import type { Move } from './move.ts';
import { Tally } from './tally.ts';

/** What one ledger insert carries, and what follows from it. Whole bus records only: a resume point lies between records. */
export interface Batch {
  block: RowBlock;
  /** Rows in the block, by collector and by standing. */
  collectors: Tally;
  standings: Tally;
  deadLetters: DeadLetter[];
  /** Bytes they hold; bounds a batch that consists of them. */
  deadLetterBytes: number;
  /** Events that belong on other partitions. */
  moves: Move[];
  /** Characters of their rows; bounds a batch that consists of them. */
  moveChars: number;
  /** Findings to write once the rows are stored. */
  changes: FindingChange[];
  /** Next offset per partition once the batch is stored. */
  nextOffsets: Map<number, number>;
  /** Next offset per partition behind the last record that brought a row: what the rows themselves tell. */
  rowOffsets: Map<number, number>;
  /** When it was closed, epoch milliseconds: `stored_at` of its rows. */
  storedAtMs: number;
  /** Duplicates dropped, by collector. */
  duplicates: Tally;
  /** Records taken in; bounds a batch that consists of duplicates or dead letters. */
  records: number;
  /** When the first of them was taken in, epoch milliseconds; 0 while there is none. */
  firstTakenMs: number;
}

/** Bytes of dead letters and of moved events per batch, so that they take no more memory than events do. */
const PUBLISHED_BYTES_MAX = 16 * 1024 * 1024;

/** Whether the batch is to be stored before it takes another record. */
export function isFull(batch: Batch, rowsMax: number): boolean {
  return (
    batch.block.length + batch.deadLetters.length + batch.moves.length >= rowsMax ||
    // Those that are made of duplicates alone must make progress too.
    batch.records >= rowsMax ||
    batch.deadLetterBytes + batch.moveChars >= PUBLISHED_BYTES_MAX
  );
}

export function emptyBatch(block: RowBlock): Batch {
  return {
    block,
    collectors: new Tally(),
    standings: new Tally(),
    deadLetters: [],
    deadLetterBytes: 0,
    moves: [],
    moveChars: 0,
    changes: [],
    nextOffsets: new Map(),
    rowOffsets: new Map(),
    storedAtMs: 0,
    duplicates: new Tally(),
    records: 0,
    firstTakenMs: 0,
  };
}

/** Next offset of the partitions where no row tells it, because the last records brought none. */
export function rowlessOffsetsOf({ nextOffsets, rowOffsets }: Batch): Map<number, number> {
  return new Map([...nextOffsets].filter(([partition, offset]) => rowOffsets.get(partition) !== offset));
}
