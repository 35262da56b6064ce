import { LEDGER_COLUMNS } from '@lanewatch/detector/contract';
import type { ExportFormat } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { ledgerFilter } from '../ledger/filter.ts';
import type { LedgerFilters } from '../ledger/filter.ts';
import { HIDDEN_COLUMNS } from '../ledger/query.ts';

const FORMAT_SQL: Record<ExportFormat, string> = { csv: 'CSVWithNames', json: 'JSONEachRow', parquet: 'Parquet' };

/** What the activity of keys shows of a row; `calls` is negative on those that take a report back, so that sums of a file are right. */
const ACTIVITY_COLUMNS: ReadonlySet<string> = new Set([
  ...['seen_at', 'credential_id', 'hint', 'lane', 'standing', 'module', 'action', 'operation', 'outcome'],
  ...['status_code', 'ip', 'user', 'agent', 'session', 'environment', 'calls'],
]);

/** Rows of the ledger as the bytes of a file, which the engine itself writes. Throws ProblemError as {@link ledgerFilter} does. */
export function ledgerFile(
  store: ClickHouse,
  what: 'ledger' | 'activity',
  format: ExportFormat,
  filters: LedgerFilters,
): AsyncIterable<Buffer> {
  const { where, parameters } = ledgerFilter(filters);
  const columns = LEDGER_COLUMNS.filter(({ name }) =>
    what === 'ledger' ? !HIDDEN_COLUMNS.has(name) : ACTIVITY_COLUMNS.has(name),
  );
  const selected = columns.map(({ name, type }) => {
    const column = `ledger.\`${name}\``;
    const isText = type === 'String' || type.startsWith('LowCardinality(String');
    return `${format === 'csv' && isText ? inertSql(column) : column} AS \`${name}\``;
  });
  return store.download(
    `SELECT ${selected.join(', ')} FROM ${store.database}.ledger AS ledger WHERE ${where}
     SETTINGS date_time_output_format = 'iso', max_threads = 2, max_block_size = 16384,
       output_format_parquet_row_group_size = 100000,
       output_format_parquet_compression_method = 'snappy'
     FORMAT ${FORMAT_SQL[format]}`,
    parameters,
  );
}

/** A cell that a spreadsheet would take for a formula gets an apostrophe before it. */
const inertSql = (column: string): string =>
  `if(match(${column}, '^[=+@\\\\-\\\\t\\\\r]'), concat('\\'', ${column}), ${column})`;
