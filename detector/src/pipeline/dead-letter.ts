import type { BusRecord } from '@lanewatch/ingest/contract';
import type { Reject } from './decode.ts';

/** A line or record that could not be decoded, with where it stood. */
export interface DeadLetter {
  partition: number;
  offset: number;
  recordIndex: number;
  bytes: Uint8Array;
  reason: string;
}

/** The dead letter of a reject, with bytes of its own: the record's are gone once its batch is handled. */
export function deadLetterOf({ partition, offset }: BusRecord, { index, bytes, reason }: Reject): DeadLetter {
  return { partition, offset, recordIndex: index, bytes: Buffer.from(bytes), reason };
}
