import type { BusRecord, OutgoingRecord } from '@lanewatch/ingest/contract';
import type { Reject } from './decode.ts';

/** A line or record that could not be decoded, with where it stood. */
export interface DeadLetter {
  partition: number;
  offset: number;
  recordIndex: number;
  /** The first {@link DEAD_LETTER_BYTES_MAX} bytes of what came. */
  bytes: Uint8Array;
  /** How many bytes came. */
  originalBytes: number;
  reason: string;
}

/**
 * Longer ones are cut, so that a topic with Kafka's default limit of 1 MiB takes every dead letter: what came may be 16 MiB, or
 * far more once it is unpacked.
 */
export const DEAD_LETTER_BYTES_MAX = 900_000;

/** The dead letter of a reject, with bytes of its own: the record's are gone once its batch is handled. */
export function deadLetterOf({ partition, offset }: BusRecord, { index, bytes, reason }: Reject): DeadLetter {
  return {
    partition,
    offset,
    recordIndex: index,
    bytes: Buffer.from(bytes.subarray(0, DEAD_LETTER_BYTES_MAX)),
    originalBytes: bytes.length,
    reason,
  };
}

/** The offending bytes as they came; where and why in headers. The position makes a repeat after a restart recognisable. */
export function deadLetterRecord(deadLetter: DeadLetter): OutgoingRecord {
  const { partition, offset, recordIndex, bytes, originalBytes, reason } = deadLetter;
  const headers: Record<string, string> = {
    reason,
    partition: String(partition),
    offset: String(offset),
    record_index: String(recordIndex),
  };
  if (originalBytes > bytes.length) headers['original_bytes'] = String(originalBytes);
  return { key: `${partition}/${offset}/${recordIndex}`, value: bytes, headers };
}

/** Where it stood and why, without what came: for a topic that takes no more. */
export function withoutBytes(deadLetter: DeadLetter): DeadLetter {
  return { ...deadLetter, bytes: new Uint8Array(0) };
}
