import type { Decoded } from '../format.ts';
import type { Attributes } from './attributes.ts';

/** A log record together with where it came from, as mappers see it. */
export interface LogRecord {
  resource: Attributes;
  scopeName: string;
  /** The record's body when it is a text; '' otherwise. */
  bodyText: string;
  eventName: string;
  /** The record's own attributes over those of the resource. */
  attributes: Attributes;
  /** The span it was written in, in lower-case hex; '' outside of one. */
  traceId: string;
  spanId: string;
  /** Epoch milliseconds: the record's time, else when it was observed; null when neither is set. */
  time: number | null;
}

/** Turns the log records of one client into events. Adding a client is a folder with one of these, and a line in `formats/index.ts`. */
export interface LogRecordMapper {
  /** Label in metrics. */
  name: string;
  /** Whether the record comes from this client. The first mapper that says so gets it. */
  claims(record: LogRecord): boolean;
  map(record: LogRecord, clientAddress: string): Decoded;
}
