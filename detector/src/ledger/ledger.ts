import type { Finding, LedgerRow } from '../../contract/index.ts';
import type { RaisingRow } from '../findings/flood-guard.ts';
import type { AddressUse, WorkUse } from '../lane-state/crowd.ts';
import type { ProfiledRow } from '../lane-state/profile.ts';

/**
 * The dimensions along which a lane is described; each is a ledger column. `endpoint` is ip, or host where there is no ip; of the
 * users, `user` is those that name somebody and `unresolved` the others.
 */
export const LANE_DIMENSIONS = [
  'user',
  'unresolved',
  'endpoint',
  'agent',
  'session',
  'repo',
  'model',
  'environment',
] as const;
export type LaneDimension = (typeof LANE_DIMENSIONS)[number];

/** A lane that the ledger has rows of. */
export interface LaneIdentity {
  lane: string;
  fingerprint: string;
  /** Of its row stored last, among the partitions asked for. */
  kafka_partition: number;
}

/** One value a lane was seen with. */
export interface LaneValue {
  lane: string;
  dimension: LaneDimension;
  value: string;
  /** First and last sight, epoch milliseconds; of people of each of their stays, in order. */
  stays: number[];
}

/** A row as the profile of its lane goes by it; `lane_profile` is told of the first alone. */
export type ProfileRow = ProfiledRow & Pick<LedgerRow, 'lane' | 'lane_profile'>;

/** Rows that a profile is restored from at most, where none carries one: it is carried more often than that. */
export const PROFILE_ROWS_MAX = 4_096;

/** Which values to restore. */
export interface ValuesWanted {
  dimension: LaneDimension;
  /** Of each lane, at most; the latest. */
  limit: number;
  /** Sights of a person that are less apart are one stay. */
  windowMs: number;
}

/**
 * What all rows that carry a finding say about it, however old they are. Times are epoch milliseconds; labels are those of the
 * row stored last, among rows that are not empty there.
 */
export interface FindingTally extends FindingLabels {
  id: string;
  lane: string;
  occurrences: number;
  cost_nano_usd: number;
  /** Of seen_at. */
  first_seen: number;
  last_seen: number;
  last_received_at: number;
  /** Least time from use to receipt, milliseconds: how fresh the freshest occurrence was when it came. */
  delay_ms_min: number;
  /** Whether one of them came from an address that nobody is known behind: neither a host name nor a resolved user. */
  endpoint_unresolved: boolean;
}

/** Ledger columns that a finding shows of its last occurrence; `endpoint` is ip, or host where there is no ip. */
export const FINDING_LABELS = [
  'standing',
  'credential_id',
  'hint',
  'org',
  'user',
  'endpoint',
  'agent',
  'session',
  'model',
  /** What the occurrence proved that told something last, as text; see findings/evidence.ts. */
  'evidence',
] as const;
export type FindingLabels = Record<(typeof FINDING_LABELS)[number], string>;

/** A finding to write, and the partition of the bus its lane is read from: only who holds that may write it. */
export interface FindingWrite {
  finding: Finding;
  partition: number;
}

/** Rows of one insert at most: far below the size at which ClickHouse cuts a block in two (1,048,449 rows, 256 MiB). */
export const INSERT_ROWS_MAX = 200_000;

/** Rows on their way into the ledger: taken in one by one, stored by one insert. */
export interface RowBlock {
  readonly length: number;
  /** Takes the row's values in; the row itself is not kept. All but `stored_at` and `claimant`, which are one for the whole block. */
  add(row: LedgerRow): void;
  /** Closes it: all its rows are stored at this time (epoch milliseconds), because an insert is one part and a part has one day. */
  seal(storedAtMs: number): void;
}

/** The detector's whole use of ClickHouse. What an assignment waits for long is broken off when its signal fires. */
export interface Ledger {
  /**
   * Makes `claimant` the only writer of these partitions: claim, reload of the dictionary, and a wait until no insert of an
   * earlier claimant is running. Only then may the resume point be read. Throws {@link FencedError} when somebody else claimed one
   * of them meanwhile: who comes later has them by right.
   */
  claim(partitions: number[], claimant: string, signal?: AbortSignal): Promise<void>;
  /**
   * The same for partitions that are this detector's already, under a claimant whose name begins with `lineage`. Afterwards nothing
   * that was sent under the earlier claim can be stored any more. Throws {@link FencedError} when somebody else holds one of them.
   */
  renewClaim(partitions: number[], claimant: string, lineage: string, signal?: AbortSignal): Promise<void>;
  /**
   * Next bus offset per partition after the last stored record, or where {@link noteProgress} says if that is further; partitions
   * without either since their reset are absent.
   */
  resumeOffsets(partitions: number[]): Promise<Map<number, number>>;
  /**
   * Notes where to go on reading these partitions, because the last records before that brought no row. Only once everything
   * before is stored. Throws {@link FencedError} when another detector holds one of them.
   * @param storedAtMs when the batch was closed that ends there, epoch milliseconds
   */
  noteProgress(nextOffsets: ReadonlyMap<number, number>, storedAtMs: number, claimant: string): Promise<void>;
  /** Notes that these partitions were made anew: what is stored of them so far says nothing about their offsets any more. */
  resetPartitions(partitions: number[]): Promise<void>;
  /** An empty block to fill. */
  newBlock(): RowBlock;
  /**
   * Writes a sealed block as one part; an empty one is only taken back. Resolves when it is stored, and then the block is the
   * ledger's again. Throws {@link FencedError} when another detector holds one of the partitions; after {@link LedgerUnavailableError}
   * nobody knows whether it was stored, or still will be: only behind a renewed claim can that be asked, and only then may it be sent again.
   */
  insert(block: RowBlock, claimant: string): Promise<void>;
  /**
   * Hands over event hashes stored since `sinceMs`, oldest first, the newest `limit` at most: what lies in these partitions, and what
   * belongs there among so many but was stored elsewhere, before some were added; a repeat of it comes here. Of events that name neither
   * key nor session only the former.
   */
  restoreHashes(
    partitions: number[],
    partitionCount: number,
    sinceMs: number,
    limit: number,
    onHash: (low: number, high: number, storedAtMs: number) => void,
    signal?: AbortSignal,
  ): Promise<void>;
  /**
   * Hands over the lanes with rows in these partitions stored since `sinceMs`, the one stored last at the end, the newest
   * `limit` at most; not that of events without a key, which is no lane to remember. Everything restored goes by when rows were
   * stored: an event may tell any time of itself.
   */
  restoreLanes(
    partitions: number[],
    sinceMs: number,
    limit: number,
    onLane: (lane: LaneIdentity) => void,
    signal?: AbortSignal,
  ): Promise<void>;
  /** Hands over the most recent values of a dimension of each of those lanes, from rows stored since, the latest of a lane first. */
  restoreValues(
    partitions: number[],
    sinceMs: number,
    wanted: ValuesWanted,
    onValue: (value: LaneValue) => void,
    signal?: AbortSignal,
  ): Promise<void>;
  /**
   * Hands over, lane by lane, what its profile is restored from: the rows from the one that carries the newest on, in the order in
   * which they were stored, or where none does the newest {@link PROFILE_ROWS_MAX} of those stored since.
   */
  restoreProfiles(
    partitions: number[],
    sinceMs: number,
    onRow: (row: ProfileRow) => void,
    signal?: AbortSignal,
  ): Promise<void>;
  /** Hands over the rows stored since that raised findings, of each partition in the order in which they were stored. */
  restoreRaisings(
    partitions: number[],
    sinceMs: number,
    onRow: (row: RaisingRow) => void,
    signal?: AbortSignal,
  ): Promise<void>;
  /** Hands over which keys were used from addresses that nobody is known behind, by rows of these partitions stored since. */
  restoreAddresses(
    partitions: number[],
    sinceMs: number,
    onUse: (use: AddressUse) => void,
    signal?: AbortSignal,
  ): Promise<void>;
  /** Hands over on which days whose work ran on which key, the same way, oldest day first. */
  restoreWork(
    partitions: number[],
    sinceMs: number,
    onUse: (use: WorkUse) => void,
    signal?: AbortSignal,
  ): Promise<void>;
  /** Hands over what all rows say about every finding on those lanes. */
  restoreFindings(
    partitions: number[],
    sinceMs: number,
    onTally: (tally: FindingTally) => void,
    signal?: AbortSignal,
  ): Promise<void>;
  /** The same of these findings alone, as far as the findings table has them: those that were raised before. */
  tallyKnownFindings(
    findings: readonly { id: string; lane: string }[],
    onTally: (tally: FindingTally) => void,
  ): Promise<void>;
  /** The findings table's present state of these ids. */
  readFindings(ids: string[]): Promise<Finding[]>;
  /**
   * Writes findings: the state with most occurrences wins, of equal ones the last. Throws {@link FencedError} when another
   * detector holds one of the partitions.
   */
  writeFindings(writes: readonly FindingWrite[], claimant: string): Promise<void>;
  close(): Promise<void>;
}

/** Another detector claimed a partition of the batch; this one must forget what it holds and join again. */
export class FencedError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'FencedError';
  }
}

/** ClickHouse could not be reached, did not answer or could not do it; nothing is known about the last insert. */
export class LedgerUnavailableError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'LedgerUnavailableError';
  }
}
