import { replaceAnalystViews } from './analyst-views.ts';
import { ledgerClaim } from './claim.ts';
import { connect } from './clickhouse.ts';
import { asLedgerErrors } from './errors.ts';
import { readFindings, writeFindings } from './findings-table.ts';
import { ledgerInsert } from './insert.ts';
import type { Ledger } from './ledger.ts';
import { migrate } from './migrate/migrate.ts';
import { ledgerReads } from './restore.ts';
import { ledgerResumePoint } from './resume-point.ts';
import { ledgerTallies } from './tallies.ts';

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
  /** Cluster that it is replicated on, as `system.clusters` names it; left out on a single server. */
  cluster?: string;
  /** Replicas that have to have an insert before it is acknowledged; left out on a single server. */
  insertQuorum?: number;
}

/** Migrating, and restoring a month of lanes, take long and say nothing meanwhile. */
const LONG_SILENCE_MS = 600_000;
/** How many limits of an insert the rows of a finding may take to be counted, over all time, while a batch waits for it. */
const TALLY_INSERT_LIMITS = 3;
/** A claim outlasts the slowest insert that is allowed. */
const CLAIM_MARGIN_MS = 5_000;

/** Brings the database up to date and opens the ledger in it. */
export async function openLedger(options: LedgerOptions): Promise<Ledger> {
  const patient = connect(options, LONG_SILENCE_MS);
  // What a batch or a claim waits for: a connection that fell silent must not hold partitions for ten minutes.
  const client = connect(options, options.insertTimeoutMs);
  const tallying = connect(options, options.insertTimeoutMs * TALLY_INSERT_LIMITS);
  const close = async () => {
    await Promise.all([client.close(), tallying.close(), patient.close()]);
  };
  const { database } = options;
  try {
    await asLedgerErrors('preparing the ledger', () => migrate(patient, options));
    await asLedgerErrors('preparing the views for analysts', () => replaceAnalystViews(patient, database));
  } catch (error) {
    await close();
    throw error;
  }
  return {
    ...ledgerClaim(client, database, options.insertTimeoutMs + CLAIM_MARGIN_MS, options.cluster),
    ...ledgerInsert(client, database, options.insertTimeoutMs),
    ...ledgerResumePoint(client, database),
    ...ledgerReads(patient, database),
    restoreFindings: ledgerTallies(patient, database).restoreFindings,
    tallyKnownFindings: ledgerTallies(tallying, database).tallyKnownFindings,
    readFindings: (ids) => readFindings(client, database, ids),
    writeFindings: (writes, claimant) => writeFindings(client, database, writes, claimant),
    close,
  };
}
