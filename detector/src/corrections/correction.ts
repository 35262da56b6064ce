import { createHash } from 'node:crypto';
import {
  encodeUsageRow,
  partitionKeyOf,
  ROW_VERSION_HEADER,
  USAGE_COLUMNS,
  type BusRecord,
  type OutgoingRecord,
  type UsageCells,
} from '@lanewatch/ingest/contract';
import { MATCHES, STANDINGS, type LedgerRow } from '../../contract/index.ts';
import { positionalFault, positionalRow } from '../pipeline/decoded-row.ts';

/*
 * Several reports of one request count once, as bookkeeping has it: no row is changed, a correction of its own takes a report back with
 * negative tokens, cost and calls, and another one enters the request once with the best of all. Corrections travel through the bus like
 * events, so that they are stored exactly once; their identity follows from what they correct, so that finding them again changes nothing.
 */

/** Value of the row header of corrections: a positional row of {@link USAGE_COLUMNS} and {@link FURTHER_COLUMNS} behind them. */
export const CORRECTION_VERSION = 'correction-2';
/** How many of {@link USAGE_COLUMNS} each version has; one before may still be on the bus. */
export const CORRECTION_COLUMNS: Readonly<Record<string, number>> = {
  'correction-1': 38,
  [CORRECTION_VERSION]: USAGE_COLUMNS.length,
};
/** What a correction says beside an event: it stands as the report does that it is about, whatever the registry says by now. */
const FURTHER_COLUMNS = ['calls', 'joins', 'standing', 'match', 'credential_id'] as const;
type Further = Pick<LedgerRow, (typeof FURTHER_COLUMNS)[number]>;
const AMOUNTS = [
  'tokens_input_uncached',
  'tokens_cache_read',
  'tokens_cache_write',
  'tokens_output',
  'cost_nano_usd',
] as const;
const AMOUNT_POSITIONS = AMOUNTS.map((name) => USAGE_COLUMNS.indexOf(name));

/** `source` of all corrections. */
const CORRECTION_SOURCE = 'lanewatch/corrections';

/** A report by its identity: source and id. */
export type ReportRef = readonly [source: string, id: string];

/** A ledger row as far as corrections go by it. */
export type Report = Pick<LedgerRow, (typeof USAGE_COLUMNS)[number] | keyof Further | 'seen_at'>;

export const refOf = ({ source, id }: Pick<Report, 'source' | 'id'>): ReportRef => [source, id];
/** One text for a reference, to look it up by. */
export const refText = (ref: ReportRef): string => JSON.stringify(ref);

/** The reports that a correction joins; none of other rows. */
export function joinsOf({ joins }: Pick<Report, 'joins'>): ReportRef[] {
  return joins === '' ? [] : (JSON.parse(joins) as ReportRef[]);
}

const FLAGS_MAX = 16;
const corrected = (flags: Report['flags'], ...noted: Report['flags']): Report['flags'] => [
  ...flags.filter((flag) => flag !== 'correction').slice(0, FLAGS_MAX - 1 - noted.length),
  ...noted,
  'correction',
];

const hashOf = (refs: readonly ReportRef[]): string =>
  createHash('sha256').update(JSON.stringify(refs)).digest('hex').slice(0, 40);

/**
 * Takes a report back: the same row with negative amounts, at the same instant, so that every sum over both is nothing.
 * @param isOfOtherKey whether the request counts under another key from here on, by which this one may still be billed
 */
export function reversalOf(report: Report, joined: readonly ReportRef[], isOfOtherKey: boolean): Report {
  const own = refText(refOf(report));
  const reversal = {
    ...report,
    source: CORRECTION_SOURCE,
    id: `reversal-${hashOf([refOf(report)])}`,
    flags: isOfOtherKey ? corrected(report.flags, 'other_key') : corrected(report.flags),
    collector: '',
    calls: -1,
    joins: JSON.stringify([refOf(report), ...joined.filter((ref) => refText(ref) !== own)]),
  };
  for (const name of AMOUNTS) reversal[name] = report[name] === 0 ? 0 : -report[name];
  return reversal;
}

/** Enters a request once, with what its reports say together. */
export function entryOf(merged: Report, joined: readonly ReportRef[]): Report {
  const sorted = joined.toSorted((left, right) => (refText(left) < refText(right) ? -1 : 1));
  return {
    ...merged,
    source: CORRECTION_SOURCE,
    id: `entry-${hashOf(sorted)}`,
    flags: corrected(merged.flags),
    collector: '',
    calls: 1,
    joins: JSON.stringify(sorted),
  };
}

/** The bus record of a correction; it lies where the report's own key belongs, so that the dedupe window there knows it. */
export function correctionRecord(correction: Report): OutgoingRecord {
  return {
    key: partitionKeyOf(correction),
    headers: { [ROW_VERSION_HEADER]: CORRECTION_VERSION },
    value: Buffer.from(encodeCorrection(correction)),
  };
}

/** A correction as one line of JSON. */
export function encodeCorrection(correction: Report): string {
  const event = JSON.parse(encodeUsageRow(correction)) as unknown[];
  return JSON.stringify([...event, ...FURTHER_COLUMNS.map((name) => correction[name])]);
}

/** The ledger row of a correction, or why it can't be taken. */
export function correctionRow(
  version: string,
  value: unknown,
  record: BusRecord,
  recordIndex: number,
): LedgerRow | string {
  const columns = CORRECTION_COLUMNS[version]!;
  const length = columns + FURTHER_COLUMNS.length;
  if (!Array.isArray(value) || value.length !== length) return `a correction must be an array of ${length}`;
  const cells = [...(value.slice(0, columns) as unknown[]), ...USAGE_COLUMNS.slice(columns).map(() => '')];
  const [calls, joins, standing, match, credential_id] = value.slice(columns) as unknown[];
  if (calls !== 1 && calls !== -1) return 'calls: 1 or -1 expected';
  if (typeof joins !== 'string' || joins.length > JOINS_CHARS_MAX || !isListOfRefs(joins))
    return 'joins: JSON of sources and ids expected';
  if (!(STANDINGS as readonly unknown[]).includes(standing)) return 'standing: not an allowed value';
  if (!(MATCHES as readonly unknown[]).includes(match)) return 'match: not an allowed value';
  if (typeof credential_id !== 'string' || credential_id.length > 64) return 'credential_id: a short text expected';
  if (calls === -1) for (const at of AMOUNT_POSITIONS) cells[at] = positive(cells[at]);
  const fault = positionalFault(cells);
  if (fault !== null) return fault;
  const row = positionalRow(cells as unknown as UsageCells, record, recordIndex);
  if (calls === -1) for (const name of AMOUNTS) row[name] = row[name] === 0 ? 0 : -row[name];
  return Object.assign(row, { calls, joins, standing, match, credential_id } as Further);
}

const positive = (amount: unknown): unknown => (typeof amount === 'number' && amount !== 0 ? -amount : amount);

/** Reports that one correction may join. */
export const REFS_MAX = 64;
const JOINS_CHARS_MAX = 100_000;

function isListOfRefs(joins: string): boolean {
  let refs: unknown;
  try {
    refs = JSON.parse(joins);
  } catch {
    return false;
  }
  return (
    Array.isArray(refs) &&
    refs.length > 0 &&
    refs.length <= REFS_MAX &&
    refs.every((ref) => Array.isArray(ref) && ref.length === 2 && ref.every((part) => typeof part === 'string'))
  );
}
