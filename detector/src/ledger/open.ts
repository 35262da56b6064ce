import { ledgerClaim } from './claim.ts';
import { connect } from './clickhouse.ts';
import { asLedgerErrors } from './errors.ts';
import { readFindings, writeFindings } from './findings-table.ts';
import { ledgerInsert } from './insert.ts';
import type { Ledger } from './ledger.ts';
import { migrate } from './migrate/migrate.ts';
import { ledgerReads } from './restore.ts';

export interface LedgerOptions {
  /** `http://host:8123`, or https. */
  url: string;
  user: string;
  password: string;
  database: string;
  /** MergeTree, or ReplicatedMergeTree with its arguments. */
  engine: string;
  /** Sync every insert to disk before it is acknowledged. */
  fsync: boolean;
  /** Time limit of one insert; shorter than the consumer's session time-out. */
  insertTimeoutMs: number;
}

/** Restoring a month of lanes reads much and says nothing meanwhile. */
const SILENCE_MS_MAX = 600_000;
/** A claim outlasts the slowest insert that is allowed. */
const CLAIM_MARGIN_MS = 5_000;

/** Brings the database up to date and opens the ledger in it. */
export async function openLedger(options: LedgerOptions): Promise<Ledger> {
  const client = connect(options, SILENCE_MS_MAX);
  const { database } = options;
  try {
    await asLedgerErrors('preparing the ledger', () => migrate(client, options));
  } catch (error) {
    await client.close();
    throw error;
  }
  return {
    claim: ledgerClaim(client, database, options.insertTimeoutMs + CLAIM_MARGIN_MS),
    ...ledgerInsert(client, database, options.insertTimeoutMs),
    ...ledgerReads(client, database),
    readFindings: (ids) => readFindings(client, database, ids),
    writeFindings: (writes, claimant) => writeFindings(client, database, writes, claimant),
    close: () => client.close(),
  };
}
