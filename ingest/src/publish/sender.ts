import { type Bus, type OutgoingRecord, USAGE_ROW_VERSION } from '../../contract/index.ts';
import { RecordRefusedError } from '../bus/errors.ts';
import { packRows, type PreparedRow } from './rows.ts';

/**
 * Kafka takes at most 1 MiB per partition and request by default. A character is up to 3 bytes of UTF-8, so this stays below in
 * any script.
 */
export const CHARS_PER_PARTITION_MAX = 256 * 1024;
/** The bus gives up by itself; this is for one that does not. */
const TIMEOUT_MARGIN_MS = 1_000;

export interface SenderOptions {
  bus: Pick<Bus, 'publish'>;
  topic: string;
  partitionOf: (key: string) => number;
  /** Asks how many partitions the topic has now; `partitionOf` goes by that afterwards. Without it they stay as they are. */
  refreshPartitions?: () => Promise<void>;
  /** After this long without confirmation the bus counts as down. */
  publishTimeoutMs: number;
}

/** What the bus will not take, now or later. */
export interface Refusal {
  row: PreparedRow;
  error: RecordRefusedError;
}

/**
 * Gets rows onto the bus. Both ways resolve when the bus has all rows but those it refuses for good, which come back; nearly always there are
 * none. They throw whatever the bus says when it is down; any part of the rows may be on it then.
 */
export interface Sender {
  /** @param rows those in the records, for when they have to be packed anew; of the current row version */
  sendPacked(records: OutgoingRecord[], rows: () => PreparedRow[]): Promise<Refusal[]>;
  /** @param version of the rows */
  sendRows(rows: readonly PreparedRow[], version: string): Promise<Refusal[]>;
}

/** Creates the sender of one topic. */
export function createSender(options: SenderOptions): Sender {
  const { bus, topic, partitionOf } = options;

  async function deliver(records: OutgoingRecord[]): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_, reject) => {
      const limitMs = options.publishTimeoutMs + TIMEOUT_MARGIN_MS;
      timer = setTimeout(() => reject(new Error(`no confirmation within ${limitMs} ms`)), limitMs);
    });
    try {
      // A publish that the bus confirms after all arrives twice; the ledger stores an identity once.
      await Promise.race([bus.publish(topic, records), timeout]);
    } finally {
      clearTimeout(timer);
    }
  }

  async function deliverPacked(rows: readonly PreparedRow[], version: string): Promise<void> {
    for (const records of inRequests(packRows(rows, version, partitionOf))) await deliver(records);
  }

  /**
   * Sends ever smaller parts, until the bus has everything but what it refuses alone. That also helps where the topic takes smaller
   * batches than is usual, or keyed records only. The order within a partition stays.
   */
  async function sendApart(rows: readonly PreparedRow[], version: string): Promise<Refusal[]> {
    try {
      await deliverPacked(rows, version);
      return [];
    } catch (error) {
      if (!(error instanceof RecordRefusedError)) throw error;
      if (rows.length === 1) return [{ row: rows[0]!, error }];
    }
    const middle = rows.length >> 1;
    const first = await sendApart(rows.slice(0, middle), version);
    return [...first, ...(await sendApart(rows.slice(middle), version))];
  }

  async function unlessRefused(
    delivery: Promise<void>,
    rows: () => readonly PreparedRow[],
    version: string,
  ): Promise<Refusal[]> {
    try {
      await delivery;
      return [];
    } catch (error) {
      if (!(error instanceof RecordRefusedError)) throw error;
    }
    // The topic may have been made anew with fewer partitions.
    await options.refreshPartitions?.();
    return sendApart(rows(), version);
  }

  return {
    sendPacked: (records, rows) => unlessRefused(deliver(records), rows, USAGE_ROW_VERSION),
    sendRows: (rows, version) => unlessRefused(deliverPacked(rows, version), () => rows, version),
  };
}

/** Splits records so that no partition gets more than one request may hold. */
function* inRequests(records: OutgoingRecord[]): Generator<OutgoingRecord[]> {
  let request: OutgoingRecord[] = [];
  const bytes = new Map<number, number>();
  for (const record of records) {
    const partition = record.partition ?? 0;
    const sum = (bytes.get(partition) ?? 0) + record.value.length;
    if (request.length > 0 && sum > 3 * CHARS_PER_PARTITION_MAX) {
      yield request;
      request = [];
      bytes.clear();
      bytes.set(partition, record.value.length);
    } else bytes.set(partition, sum);
    request.push(record);
  }
  if (request.length > 0) yield request;
}
