import type { LedgerRow } from '../../contract/index.ts';
import type { DeadLetter } from './dead-letter.ts';
import type { FindingChange } from './detection.ts';

/** What one ledger insert carries, and what follows from it. Whole bus records only: a resume point lies between records. */
export interface Batch {
  rows: LedgerRow[];
  deadLetters: DeadLetter[];
  /** Bytes they hold; bounds a batch that consists of them. */
  deadLetterBytes: number;
  /** Findings to write once the rows are stored. */
  changes: FindingChange[];
  /** Next offset per partition once the batch is stored. */
  nextOffsets: Map<number, number>;
  /** Duplicates dropped, by collector. */
  duplicates: Map<string, number>;
  /** Records taken in; bounds a batch that consists of duplicates or dead letters. */
  records: number;
}

export function emptyBatch(): Batch {
  return {
    rows: arrayOfObjects(),
    deadLetters: [],
    deadLetterBytes: 0,
    changes: [],
    nextOffsets: new Map(),
    duplicates: new Map(),
    records: 0,
  };
}

/**
 * An empty array that V8 already takes for one of objects. `[]` counts as one of small integers until the first push, and finding
 * otherwise throws away the machine code of the pipeline's innermost function in the middle of a batch.
 */
function arrayOfObjects(): LedgerRow[] {
  const rows = [null as unknown as LedgerRow];
  rows.length = 0;
  return rows;
}
