import type { RowBlock } from '../ledger/ledger.ts';
import type { DeadLetter } from './dead-letter.ts';
import type { FindingChange } from './detection.ts';
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
  /** Findings to write once the rows are stored. */
  changes: FindingChange[];
  /** Next offset per partition once the batch is stored. */
  nextOffsets: Map<number, number>;
  /** Duplicates dropped, by collector. */
  duplicates: Tally;
  /** Records taken in; bounds a batch that consists of duplicates or dead letters. */
  records: number;
  /** When the first of them was taken in, epoch milliseconds; 0 while there is none. */
  firstTakenMs: number;
}

export function emptyBatch(block: RowBlock): Batch {
  return {
    block,
    collectors: new Tally(),
    standings: new Tally(),
    deadLetters: [],
    deadLetterBytes: 0,
    changes: [],
    nextOffsets: new Map(),
    duplicates: new Tally(),
    records: 0,
    firstTakenMs: 0,
  };
}
