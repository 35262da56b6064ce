import {
  COLUMN_INDEX,
  encodeUsageRow,
  type OutgoingRecord,
  partitionKeyOf,
  ROW_VERSION_HEADER,
  type UsageEvent,
  type UsageRow,
} from '../../contract/index.ts';

/** Events per record at most, and characters of their rows: past this, larger records gain nothing and delay the reader. */
export const ROWS_PER_RECORD_MAX = 64;
export const CHARS_PER_RECORD_MAX = 32 * 1024;

/** A row on its way: its text and the key that decides its partition. */
export interface PreparedRow {
  row: string;
  key: string;
}

export function prepareRow(event: UsageEvent): PreparedRow {
  return { row: encodeUsageRow(event), key: partitionKeyOf(event) };
}

/**
 * The partition key of a row read back from the spool, of whatever row version: the columns that it is made of have stood where they stand
 * since the first.
 */
export function keyOfRow(row: string): string {
  const cells = JSON.parse(row) as UsageRow;
  const cell = (column: keyof typeof COLUMN_INDEX) => String(cells[COLUMN_INDEX[column]]);
  return partitionKeyOf({
    fingerprint: cell('fingerprint'),
    hint: cell('hint'),
    org: cell('org'),
    session: cell('session'),
    source: cell('source'),
    id: cell('id'),
  });
}

/**
 * Rows of one partition as one record, one row per line. The record has the rows' key when they share it, and none otherwise,
 * because a key that is right for some of them only would mislead other readers.
 * @param version how the columns of the rows are to be read
 */
export function recordOf(rows: readonly PreparedRow[], partition: number, version: string): OutgoingRecord {
  const first = rows[0]!.key;
  let text = rows[0]!.row;
  let shared = true;
  for (let index = 1; index < rows.length; index++) {
    const { row, key } = rows[index]!;
    text += `\n${row}`;
    shared &&= key === first;
  }
  const headers = { [ROW_VERSION_HEADER]: version };
  return { key: shared ? first : null, value: Buffer.from(text, 'utf8'), headers, partition };
}

/** Packs rows, in order, into records per partition. */
export function packRows(
  rows: Iterable<PreparedRow>,
  version: string,
  partitionOf: (key: string) => number,
): OutgoingRecord[] {
  const records: OutgoingRecord[] = [];
  const open = new Map<number, { rows: PreparedRow[]; chars: number }>();
  for (const prepared of rows) {
    const partition = partitionOf(prepared.key);
    let pack = open.get(partition);
    if (pack && (pack.rows.length >= ROWS_PER_RECORD_MAX || pack.chars + prepared.row.length > CHARS_PER_RECORD_MAX)) {
      records.push(recordOf(pack.rows, partition, version));
      pack = undefined;
    }
    if (!pack) open.set(partition, (pack = { rows: [], chars: 0 }));
    pack.rows.push(prepared);
    pack.chars += prepared.row.length;
  }
  for (const [partition, pack] of open) records.push(recordOf(pack.rows, partition, version));
  return records;
}
