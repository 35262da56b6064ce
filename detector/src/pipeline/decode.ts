import {
  isBinaryCloudEventRecord,
  normaliseBusObject,
  ROW_VERSION_HEADER,
  TIME_MIN_MS,
  USAGE_ROWS_BEFORE,
  USAGE_ROW_VERSION,
  type BusRecord,
} from '@lanewatch/ingest/contract';
import type { UsageCells } from '@lanewatch/ingest/contract';
import type { LedgerRow } from '../../contract/index.ts';
import { CORRECTION_COLUMNS, correctionRow } from '../corrections/correction.ts';
import { eventRow, positionalFault, positionalRow, rowOfVersionBefore } from './decoded-row.ts';

/** What could not be decoded, as it came. */
export interface Reject {
  /** Position inside the record of the line at fault, or of the first element; 0 when the record itself is. */
  index: number;
  /** The line, or the whole record where no line can be told. Part of the record's own memory: copy what must live longer. */
  bytes: Uint8Array;
  /** Never quotes what was sent: it may hold a secret. */
  reason: string;
}

/** What is in a record: data, not exceptions, because a bad line is an everyday thing. */
export interface DecodedRecord {
  /** The rows' decided columns are still blank. */
  rows: LedgerRow[];
  rejects: Reject[];
}

/** Events of one record at most. A batch takes whole records, so this is what it may exceed its own limit by. Ingest packs 64. */
export const RECORD_EVENTS_MAX = 50_000;
/** Bad lines told one by one. A record with more is no record of events, and each of millions of lines must not be a dead letter. */
const REJECTS_MAX = 1_000;
const LINE_BREAK = 0x0a;

/**
 * Decodes one bus record: positional rows where the header names their version, else JSON objects, one per line or in arrays.
 * One bad line rejects that line only. A record with too many events or bad lines, or one that breaks the decoder, is
 * rejected as a whole. Never throws: the same record would come again for ever.
 * @param nowMs epoch milliseconds; what bounds the time of receipt that the bus tells
 */
export function decodeRecord(record: BusRecord, nowMs: number): DecodedRecord {
  const decoded: DecodedRecord = { rows: [], rejects: [] };
  let fault: string | null;
  try {
    fault = decodeInto(decoded, record, nowMs);
  } catch (error) {
    fault = `the decoder failed on it (${error instanceof Error ? error.name : typeof error})`;
  }
  return fault === null ? decoded : { rows: [], rejects: [{ index: 0, bytes: record.value, reason: fault }] };
}

/** @returns why the record must be rejected as a whole, or null */
function decodeInto(decoded: DecodedRecord, record: BusRecord, nowMs: number): string | null {
  const version = record.headers[ROW_VERSION_HEADER];
  // A topic that an operator made may carry the producer's own time, which can be any: no receipt is later than now.
  if (version === undefined) {
    const receivedAt = Math.min(Math.max(record.timestamp, TIME_MIN_MS), nowMs);
    return decodeObjects(decoded, { ...record, timestamp: receivedAt });
  }
  if (version === USAGE_ROW_VERSION) return decodeRows(decoded, record, acceptRow);
  if (Object.hasOwn(USAGE_ROWS_BEFORE, version))
    return decodeRows(decoded, record, acceptAs(rowOfVersionBefore, version));
  if (Object.hasOwn(CORRECTION_COLUMNS, version)) return decodeRows(decoded, record, acceptAs(correctionRow, version));
  return `row version ${JSON.stringify(version.slice(0, 32))} is not one this detector reads`;
}

function decodeRows(decoded: DecodedRecord, record: BusRecord, accept: Accept): string | null {
  const text = record.value.toString('utf8');
  let values: unknown[];
  try {
    values = parseLines(text);
  } catch {
    return decodeLines(decoded, record, accept);
  }
  if (values.length > RECORD_EVENTS_MAX) return tooManyEvents;
  for (let index = 0; index < values.length; index++) {
    if (accept(decoded, values[index], index, record) === null) continue;
    // Line by line from the start: only so is it certain which line the value stands in.
    decoded.rows = [];
    return decodeLines(decoded, record, accept);
  }
  return values.length === 0 ? empty : null;
}

/** JSON never has a bare line break inside, so all lines parse in one call as one array; one line needs no array around it. */
function parseLines(text: string): unknown[] {
  if (text.includes('\n')) return JSON.parse(`[${text.replaceAll('\n', ',')}]`) as unknown[];
  return text === '' ? [] : [JSON.parse(text)];
}

function decodeObjects(decoded: DecodedRecord, record: BusRecord): string | null {
  const text = record.value.toString('utf8').trim();
  if (text === '') return empty;
  const isBinary = isBinaryCloudEventRecord(record.headers);
  let whole: unknown;
  try {
    whole = JSON.parse(text);
  } catch {
    // One event whose data is no JSON; its lines have no identity of their own.
    if (isBinary) return acceptObject(decoded, text, 0, record);
    return decodeLines(decoded, record, acceptObject);
  }
  return Array.isArray(whole) && !isBinary
    ? decodeElements(decoded, record, whole)
    : acceptObject(decoded, whole, 0, record);
}

/** Elements have no bytes of their own, so the record stands for all that are bad. */
function decodeElements(decoded: DecodedRecord, record: BusRecord, values: unknown[]): string | null {
  if (values.length > RECORD_EVENTS_MAX) return tooManyEvents;
  let first: Reject | null = null;
  let more = 0;
  for (let index = 0; index < values.length; index++) {
    const fault = acceptObject(decoded, values[index], index, record);
    if (fault === null) continue;
    if (first === null) first = { index, bytes: record.value, reason: `element ${index}: ${fault}` };
    else more++;
  }
  if (first === null) return null;
  if (more > 0) first.reason += `; ${more} more elements are bad`;
  decoded.rejects.push(first);
  return null;
}

type Accept = (decoded: DecodedRecord, value: unknown, index: number, record: BusRecord) => string | null;

/** Blank lines say nothing and are no fault. */
function decodeLines(decoded: DecodedRecord, record: BusRecord, accept: Accept): string | null {
  const { rows, rejects } = decoded;
  const { value: bytes } = record;
  for (let index = 0, from = 0; from < bytes.length; index++) {
    const lineBreak = bytes.indexOf(LINE_BREAK, from);
    const to = lineBreak === -1 ? bytes.length : lineBreak;
    const line = bytes.toString('utf8', from, to).trim();
    if (line !== '') {
      const fault = acceptLine(decoded, line, index, record, accept);
      if (fault !== null) rejects.push({ index, bytes: bytes.subarray(from, to), reason: fault });
      if (rejects.length > REJECTS_MAX)
        return `more than ${REJECTS_MAX} of its lines are bad; the first: ${rejects[0]!.reason}`;
      if (rows.length > RECORD_EVENTS_MAX) return tooManyEvents;
    }
    from = to + 1;
  }
  return rows.length === 0 && rejects.length === 0 ? empty : null;
}

const empty = 'the record is empty';
const tooManyEvents = `has more than ${RECORD_EVENTS_MAX} events; send them in several records`;

function acceptLine(
  decoded: DecodedRecord,
  line: string,
  index: number,
  record: BusRecord,
  accept: Accept,
): string | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    return notJson(error);
  }
  return accept(decoded, value, index, record);
}

function acceptObject(decoded: DecodedRecord, value: unknown, index: number, record: BusRecord): string | null {
  const result = normaliseBusObject(value, record.headers, { receivedAt: record.timestamp, collector: '' });
  if (!result.ok)
    return result.errors.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ');
  decoded.rows.push(eventRow(result.event, record, index));
  return null;
}

function acceptRow(decoded: DecodedRecord, value: unknown, index: number, record: BusRecord): string | null {
  const fault = positionalFault(value);
  if (fault === null) decoded.rows.push(positionalRow(value as UsageCells, record, index));
  return fault;
}

type RowOf = (version: string, value: unknown, record: BusRecord, index: number) => LedgerRow | string;

function acceptAs(rowOf: RowOf, version: string): Accept {
  return (decoded, value, index, record) => {
    const row = rowOf(version, value, record, index);
    if (typeof row === 'string') return row;
    decoded.rows.push(row);
    return null;
  };
}

/** The parser's own message quotes the input, which may hold a secret; only the position is taken from it. */
function notJson(error: unknown): string {
  const position = /position (\d+)/.exec(String(error))?.[1];
  return position === undefined ? 'not JSON' : `not JSON at character ${position}`;
}
