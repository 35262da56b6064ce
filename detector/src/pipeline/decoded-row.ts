import {
  ACTIONS,
  canonicalNames,
  COLUMN_INDEX,
  COST_BASES,
  CREDENTIAL_KINDS,
  isFingerprint,
  OUTCOMES,
  REPORTERS,
  TEXT_LIMITS,
  TIME_MAX_MS,
  USAGE_COLUMNS,
  USAGE_ROWS_BEFORE,
  type BusRecord,
  type UsageCells,
  type UsageEvent,
} from '@lanewatch/ingest/contract';
import type { LedgerRow } from '../../contract/index.ts';

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
const FLAG_MAX = 64;
const ENUMS = [
  [COLUMN_INDEX.credential_kind, new Set<unknown>(CREDENTIAL_KINDS)],
  [COLUMN_INDEX.action, new Set<unknown>(ACTIONS)],
  [COLUMN_INDEX.outcome, new Set<unknown>(OUTCOMES)],
  [COLUMN_INDEX.cost_basis, new Set<unknown>(COST_BASES)],
  [COLUMN_INDEX.reporter, new Set<unknown>(['', ...REPORTERS])],
] as const;

/** Why a positional row can't be taken, or null when it can. Anybody who may write to the topic may write nonsense. */
export function positionalFault(value: unknown): string | null {
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
  if (hasLongText(value as unknown as UsageCells)) return longTextFault(value);
  if (!isKnownFingerprint(value[COLUMN_INDEX.fingerprint] as string))
    return 'fingerprint: 64 lower-case hex digits or nothing expected';
  const flags: unknown = value[COLUMN_INDEX.flags];
  return isFlagList(flags) ? null : `flags: an array of at most 16 texts of up to ${FLAG_MAX} characters expected`;
}

/** Spelled out: every place in the code sees one kind of text, where a loop sees all and takes three times as long. */
function hasLongText(cells: UsageCells): boolean {
  return (
    cells[0].length > TEXT_LIMITS.source ||
    cells[1].length > TEXT_LIMITS.id ||
    cells[5].length > TEXT_LIMITS.hint ||
    cells[6].length > TEXT_LIMITS.credential_provider ||
    cells[8].length > TEXT_LIMITS.org ||
    cells[9].length > TEXT_LIMITS.user ||
    cells[10].length > TEXT_LIMITS.ip ||
    cells[11].length > TEXT_LIMITS.host ||
    cells[12].length > TEXT_LIMITS.agent ||
    cells[13].length > TEXT_LIMITS.agent_version ||
    cells[14].length > TEXT_LIMITS.session ||
    cells[15].length > TEXT_LIMITS.request_id ||
    cells[16].length > TEXT_LIMITS.repo ||
    cells[17].length > TEXT_LIMITS.branch ||
    cells[18].length > TEXT_LIMITS.provider ||
    cells[19].length > TEXT_LIMITS.model ||
    cells[20].length > TEXT_LIMITS.module ||
    cells[21].length > TEXT_LIMITS.environment ||
    cells[23].length > TEXT_LIMITS.operation ||
    cells[33].length > TEXT_LIMITS.collector ||
    cells[35].length > TEXT_LIMITS.served_by ||
    cells[37].length > TEXT_LIMITS.sent_as ||
    cells[38].length > TEXT_LIMITS.response_id ||
    cells[39].length > TEXT_LIMITS.rate_limits
  );
}

function longTextFault(value: unknown[]): string {
  const long = Object.entries(TEXT_LIMITS).find(
    ([column, limit]) => (value[COLUMN_INDEX[column as keyof typeof TEXT_LIMITS]] as string).length > limit,
  );
  return `${long?.[0] ?? 'text'}: longer than ${long?.[1] ?? 0} characters`;
}

const KNOWN_FINGERPRINTS_MAX = 50_000;
const knownFingerprints = new Set<string>(['']);

/**
 * Whether it is a fingerprint, or none. Else a raw key would be stored as fingerprint and lane, or the name of another lane would
 * pass the rules by. The same ones come again and again, and their hash is needed anyway.
 */
function isKnownFingerprint(fingerprint: string): boolean {
  if (knownFingerprints.has(fingerprint)) return true;
  if (fingerprint !== '' && !isFingerprint(fingerprint)) return false;
  if (knownFingerprints.size >= KNOWN_FINGERPRINTS_MAX) knownFingerprints.clear();
  knownFingerprints.add(fingerprint);
  return true;
}

function isFlagList(flags: unknown): boolean {
  if (!Array.isArray(flags) || flags.length > 16) return false;
  for (const flag of flags) if (typeof flag !== 'string' || flag.length > FLAG_MAX) return false;
  return true;
}

/**
 * The ledger row of a positional row without fault; what is decided later is still blank. One literal with every column, so
 * that all rows share one hidden class: the encoder's speed depends on it. By index rather than by destructuring, which
 * would go through the array's iterator.
 */
export function positionalRow(cells: UsageCells, record: BusRecord, recordIndex: number): LedgerRow {
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
    served_by: cells[35],
    reporter: cells[36],
    sent_as: cells[37],
    response_id: cells[38],
    rate_limits: cells[39],
    event_hash_low: BLANK,
    event_hash_high: BLANK,
    lane: '',
    seen_at: time < receivedAt ? time : receivedAt,
    standing: 'unattributed',
    match: 'none',
    credential_id: '',
    findings: NO_FINDINGS,
    evidence: NO_FINDINGS,
    lane_profile: '',
    calls: 1,
    joins: '',
    kafka_partition: record.partition,
    kafka_offset: record.offset,
    record_index: recordIndex,
    stored_at: BLANK,
    claimant: '',
  };
}

/**
 * Of numbers that are decided later. Not 0: V8 would lay out every row for a small integer there, and move the whole row to another
 * layout when the large one comes, which takes longer than everything else that is decided about it.
 */
const BLANK = NaN;

/** Shared by all rows without findings; replaced, never changed. */
const NO_FINDINGS: string[] = [];

/** The row of an event that came as an object. */
export function eventRow(event: UsageEvent, record: BusRecord, recordIndex: number): LedgerRow {
  return positionalRow(USAGE_COLUMNS.map((column) => event[column]) as unknown as UsageCells, record, recordIndex);
}

/**
 * The row of a positional row of a version before, or why it can't be taken. Ingest of then, or its spool, sent names of the first as they
 * came, so they get their one form here.
 */
export function rowOfVersionBefore(
  version: string,
  value: unknown,
  record: BusRecord,
  recordIndex: number,
): LedgerRow | string {
  const columns = USAGE_ROWS_BEFORE[version]!;
  if (!Array.isArray(value)) return 'a positional row must be an array';
  if (value.length !== columns) return `has ${value.length} columns, ${columns} expected`;
  const cells: unknown[] = [...(value as unknown[]), ...USAGE_COLUMNS.slice(columns).map(() => '')];
  const fault = positionalFault(cells);
  if (fault !== null) return fault;
  const row = positionalRow(cells as unknown as UsageCells, record, recordIndex);
  return version === '1' ? Object.assign(row, canonicalNames(row, { redactions: 0, truncated: false })) : row;
}
