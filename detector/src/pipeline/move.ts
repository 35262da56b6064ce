import {
  encodeUsageRow,
  MOVED_HEADER,
  partitionForKey,
  partitionKeyOf,
  ROW_VERSION_HEADER,
  UNATTRIBUTED_LANE,
  USAGE_ROW_VERSION,
  type BusRecord,
  type OutgoingRecord,
} from '@lanewatch/ingest/contract';
import type { LedgerRow } from '../../contract/index.ts';
import { CORRECTION_VERSION, encodeCorrection } from '../corrections/correction.ts';
import type { DeadLetter } from './dead-letter.ts';

/*
 * A producer with another partitioner than Kafka's own murmur2, or without a key, puts a lane's events on several partitions, and so before
 * several detectors: each would judge a part of the lane, and the same event could be stored by two. So an event that lies elsewhere than
 * where its key belongs is not judged there: it is put on its own partition through the bus, and judged and stored from there.
 */

/** Where events belong, by the number of partitions that the topic has. */
export interface Placement {
  /** Partitions of the topic. */
  readonly count: number;
  /** The partition that the row belongs on; its lane must be decided. */
  homeOf(row: LedgerRow, lyingOn: number): number;
}

/** An event on its way to the partition where it belongs. */
export interface Move {
  partition: number;
  /** Positional row: what it lay there as may have been an object among others. */
  row: string;
  /** Of the row's form. */
  version: string;
  collector: string;
  source: string;
  /** How many partitions decided that. */
  partitionCount: number;
  /** Where it lay. */
  from: Pick<DeadLetter, 'partition' | 'offset' | 'recordIndex'>;
}

const KEYS_REMEMBERED_MAX = 50_000;

/** @param count partitions of the topic */
export function createPlacement(count: number): Placement {
  const remembered = new Map<string, number>();
  let latestKey = '';
  let latestHome = -1;

  function homeOfKey(key: string): number {
    let home = remembered.get(key);
    if (home === undefined) {
      if (remembered.size >= KEYS_REMEMBERED_MAX) remembered.clear();
      home = partitionForKey(key, count);
      remembered.set(key, home);
    }
    return home;
  }

  return {
    count,
    homeOf(row) {
      const key = row.lane === UNATTRIBUTED_LANE ? partitionKeyOf(row) : row.lane;
      // Neighbours often agree (one record holds one credential's events), and comparing is cheaper than hashing.
      if (key !== latestKey) {
        latestHome = homeOfKey(key);
        latestKey = key;
      }
      return latestHome;
    },
  };
}

/**
 * Whether events of a record may be moved. A record that a detector put there is left alone by all who know of no more partitions than
 * that one did: it lies where it belongs, and a detector whose number is out of date must not send it back. So an event is moved once for
 * each number of partitions that the topic ever had, at most.
 */
export function mayMove({ headers }: BusRecord, { count }: Placement): boolean {
  const moved = headers[MOVED_HEADER];
  return moved === undefined || Number(moved) < count;
}

/** The move of a row to the partition where it belongs, among so many. */
export function moveOf(row: LedgerRow, partition: number, partitionCount: number): Move {
  const { collector, source, kafka_partition, kafka_offset, record_index } = row;
  const from = { partition: kafka_partition, offset: kafka_offset, recordIndex: record_index };
  const [version, text] =
    row.joins === '' ? [USAGE_ROW_VERSION, encodeUsageRow(row)] : [CORRECTION_VERSION, encodeCorrection(row)];
  return { partition, row: text, version, collector, source, partitionCount, from };
}

/** What becomes of an event that the bus will never take on its own partition. */
export function refusedMove({ from, row, partition }: Move): DeadLetter {
  const bytes = Buffer.from(row);
  const reason = `belongs on partition ${partition}, and the bus refused it there`;
  return { ...from, bytes, originalBytes: bytes.length, reason };
}

/** As ingest packs them. */
const ROWS_PER_RECORD_MAX = 64;

/** The records that carry them, those of each partition in their order. */
export function moveRecords(moves: readonly Move[]): OutgoingRecord[] {
  const records: OutgoingRecord[] = [];
  for (const own of Map.groupBy(moves, ({ partition, version }) => `${version} ${partition}`).values())
    for (let start = 0; start < own.length; start += ROWS_PER_RECORD_MAX) {
      const rows = own.slice(start, start + ROWS_PER_RECORD_MAX).map(({ row }) => row);
      const { partition, version, partitionCount } = own[0]!;
      const headers = { [ROW_VERSION_HEADER]: version, [MOVED_HEADER]: String(partitionCount) };
      records.push({ key: null, partition, headers, value: Buffer.from(rows.join('\n')) });
    }
  return records;
}
