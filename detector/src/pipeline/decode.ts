import {
  ACTIONS,
  COLUMN_INDEX,
  COST_BASES,
  CREDENTIAL_KINDS,
  normaliseUsageEvent,
  OUTCOMES,
  ROW_VERSION_HEADER,
  TIME_MAX_MS,
  USAGE_COLUMNS,
  USAGE_ROW_VERSION,
  type BusRecord,
  type UsageCells,
  type UsageEvent,
} from '@lanewatch/ingest/contract';
import type { LedgerRow } from '../../contract/index.ts';

/** Where decoded events go, and what could not be decoded: data, not exceptions, because a bad line is an everyday thing. */
export interface DecodeSink {
  /** The row's decided columns are still blank. */
  onRow(row: LedgerRow): void;
  /** `bytes` is the offending line, or the whole record when the record itself is at fault. */
  onReject(index: number, bytes: Uint8Array, reason: string): void;
}

/**
 * Decodes one bus record: positional rows where the header names their version, else JSON objects, one per line or in arrays.
 * One bad line rejects that line only.
 */
export function decodeRecord(record: BusRecord, sink: DecodeSink): void {
  const version = record.headers[ROW_VERSION_HEADER];
  if (version === undefined) decodeObjects(record, sink);
  else if (version === USAGE_ROW_VERSION) decodeRows(record, sink);
  else sink.onReject(0, record.value, `row version ${JSON.stringify(version)} is not one this detector reads`);
}

function decodeRows(record: BusRecord, sink: DecodeSink): void {
  const text = record.value.toString('utf8');
  let rows: unknown[];
  try {
    // JSON never has a bare line break inside, so all lines parse in one call as one array.
    rows = JSON.parse(`[${text.replaceAll('\n', ',')}]`) as unknown[];
  } catch {
    decodeLines(text, record, sink, (value, index) => acceptRow(value, index, record, sink));
    return;
  }
  for (let index = 0; index < rows.length; index++) acceptRow(rows[index], index, record, sink);
}

function decodeObjects(record: BusRecord, sink: DecodeSink): void {
  const text = record.value.toString('utf8').trim();
  if (text === '') {
    sink.onReject(0, record.value, 'the record is empty');
    return;
  }
  let whole: unknown;
  try {
    whole = JSON.parse(text);
  } catch {
    decodeLines(text, record, sink, (value, index) => acceptObject(value, index, record, sink));
    return;
  }
  if (Array.isArray(whole)) whole.forEach((value, index) => acceptObject(value, index, record, sink));
  else acceptObject(whole, 0, record, sink);
}

function decodeLines(
  text: string,
  record: BusRecord,
  sink: DecodeSink,
  accept: (value: unknown, index: number) => void,
): void {
  const lines = text.split('\n');
  for (let index = 0; index < lines.length; index++) {
    let value: unknown;
    try {
      value = JSON.parse(lines[index]!);
    } catch (error) {
      const whole = lines.length === 1;
      sink.onReject(index, whole ? record.value : Buffer.from(lines[index]!), notJson(error));
      continue;
    }
    accept(value, index);
  }
}

function acceptObject(value: unknown, index: number, record: BusRecord, sink: DecodeSink): void {
  const result = normaliseUsageEvent(value, { receivedAt: record.timestamp, collector: '' });
  if (result.ok) {
    sink.onRow(blankRow(result.event, record, index));
    return;
  }
  const reasons = result.errors.map(({ path, message }) => `${path}: ${message}`).join('; ');
  sink.onReject(index, Buffer.from(JSON.stringify(value)), reasons);
}

function acceptRow(value: unknown, index: number, record: BusRecord, sink: DecodeSink): void {
  const fault = faultOf(value);
  if (fault !== null) sink.onReject(index, Buffer.from(JSON.stringify(value)), fault);
  else sink.onRow(rowOf(value as unknown as UsageCells, record, index));
}

const NUMBER_COLUMNS = new Set<string>([
  'time',
  'received_at',
  'status_code',
  'tokens_input_uncached',
  'tokens_cache_read',
  'tokens_cache_write',
  'tokens_output',
  'cost_nano_usd',
  'latency_ms',
]);
/** What each position must hold; computed once so that the check per row is a plain loop. */
const EXPECTED_TYPES = USAGE_COLUMNS.map((column) =>
  NUMBER_COLUMNS.has(column) ? 'number' : column === 'flags' ? 'object' : 'string',
);
const NUMBER_MAX = USAGE_COLUMNS.map((column) => {
  if (column === 'time' || column === 'received_at') return TIME_MAX_MS;
  if (column === 'status_code') return 0xffff;
  return column === 'latency_ms' ? 0xffffffff : Number.MAX_SAFE_INTEGER;
});
const ENUMS = [
  [COLUMN_INDEX.credential_kind, new Set<unknown>(CREDENTIAL_KINDS)],
  [COLUMN_INDEX.action, new Set<unknown>(ACTIONS)],
  [COLUMN_INDEX.outcome, new Set<unknown>(OUTCOMES)],
  [COLUMN_INDEX.cost_basis, new Set<unknown>(COST_BASES)],
] as const;

/** Why a positional row can't be taken, or null when it can. Anybody who may write to the topic may write nonsense. */
function faultOf(value: unknown): string | null {
  if (!Array.isArray(value)) return 'a positional row must be an array';
  if (value.length !== USAGE_COLUMNS.length) return `has ${value.length} columns, ${USAGE_COLUMNS.length} expected`;
  for (let position = 0; position < EXPECTED_TYPES.length; position++) {
    const cell: unknown = value[position];
    if (typeof cell !== EXPECTED_TYPES[position]) {
      return `${USAGE_COLUMNS[position]!}: ${EXPECTED_TYPES[position]!} expected, got ${cell === null ? 'null' : typeof cell}`;
    }
    if (typeof cell === 'number' && !(Number.isInteger(cell) && cell >= 0 && cell <= NUMBER_MAX[position]!)) {
      return `${USAGE_COLUMNS[position]!}: an integer from 0 to ${NUMBER_MAX[position]!} expected`;
    }
  }
  for (const [position, allowed] of ENUMS) {
    if (!allowed.has(value[position])) return `${USAGE_COLUMNS[position]!}: not an allowed value`;
  }
  if (value[0] === '' || value[1] === '') return 'source and id must not be empty';
  const flags: unknown = value[COLUMN_INDEX.flags];
  const flagsFine = Array.isArray(flags) && flags.length <= 16 && flags.every((flag) => typeof flag === 'string');
  return flagsFine ? null : 'flags: an array of at most 16 texts expected';
}

/**
 * One literal with every column, so that all rows share one hidden class: the encoder's speed depends on it. By index rather
 * than by destructuring, which would go through the array's iterator.
 */
function rowOf(cells: UsageCells, record: BusRecord, recordIndex: number): LedgerRow {
  const time = cells[2];
  const receivedAt = cells[3];
  return {
    source: cells[0],
    id: cells[1],
    time,
    received_at: receivedAt,
    fingerprint: cells[4],
    hint: cells[5],
    credential_provider: cells[6],
    credential_kind: cells[7],
    org: cells[8],
    user: cells[9],
    ip: cells[10],
    host: cells[11],
    agent: cells[12],
    agent_version: cells[13],
    session: cells[14],
    request_id: cells[15],
    repo: cells[16],
    branch: cells[17],
    provider: cells[18],
    model: cells[19],
    module: cells[20],
    environment: cells[21],
    action: cells[22],
    operation: cells[23],
    outcome: cells[24],
    status_code: cells[25],
    tokens_input_uncached: cells[26],
    tokens_cache_read: cells[27],
    tokens_cache_write: cells[28],
    tokens_output: cells[29],
    cost_nano_usd: cells[30],
    cost_basis: cells[31],
    latency_ms: cells[32],
    collector: cells[33],
    flags: cells[34],
    event_hash_low: 0,
    event_hash_high: 0,
    lane: '',
    seen_at: time < receivedAt ? time : receivedAt,
    standing: 'unattributed',
    match: 'none',
    credential_id: '',
    findings: NO_FINDINGS,
    kafka_partition: record.partition,
    kafka_offset: record.offset,
    record_index: recordIndex,
    stored_at: 0,
    claimant: '',
  };
}

/** Shared by all rows without findings; replaced, never changed. */
const NO_FINDINGS: string[] = [];

function blankRow(event: UsageEvent, record: BusRecord, recordIndex: number): LedgerRow {
  return rowOf(USAGE_COLUMNS.map((column) => event[column]) as unknown as UsageCells, record, recordIndex);
}

/** The parser's own message quotes the input, which may hold a secret; only the position is taken from it. */
function notJson(error: unknown): string {
  const position = /position (\d+)/.exec(String(error))?.[1];
  return position === undefined ? 'not JSON' : `not JSON at character ${position}`;
}
