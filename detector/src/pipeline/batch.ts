import type { Finding, LedgerRow } from '../../contract/index.ts';

/** A line or record that could not be decoded, with where it stood. */
export interface DeadLetter {
  partition: number;
  offset: number;
  recordIndex: number;
  bytes: Uint8Array;
  reason: string;
}

/** What one ledger insert carries, and what follows from it. Whole bus records only: a resume point lies between records. */
export interface Batch {
  /** Assignment it belongs to; a batch of an earlier one is void. */
  epoch: number;
  rows: LedgerRow[];
  deadLetters: DeadLetter[];
  findings: Finding[];
  /** Next offset per partition once the batch is stored. */
  nextOffsets: Map<number, number>;
  /** Duplicates dropped, by collector. */
  duplicates: Map<string, number>;
  /** Records taken in; bounds a batch that consists of duplicates or dead letters. */
  records: number;
}

export function emptyBatch(epoch: number): Batch {
  return {
    epoch,
    rows: [],
    deadLetters: [],
    findings: [],
    nextOffsets: new Map(),
    duplicates: new Map(),
    records: 0,
  };
}
