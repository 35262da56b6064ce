import type { ColumnType, Generated, JSONColumnType } from 'kysely';
import type { SqlChart, SqlRequest } from '../../contract/index.ts';

type ParametersColumn = JSONColumnType<SqlRequest['parameters'], string, string>;

/** Tables of the SQL desk; the comments on columns are in migrations/. */
export interface SqlTables {
  sql_queries: SqlQueriesTable;
  sql_history: SqlHistoryTable;
}

export interface SqlQueriesTable {
  id: string;
  title: string;
  sql: string;
  parameters: ParametersColumn;
  chart: ColumnType<SqlChart | null, string | null, string | null>;
  is_shared: boolean;
  owner: string;
  created_at: Date;
  updated_at: Date;
}

interface SqlHistoryTable {
  id: Generated<string>;
  person: string;
  at: Date;
  sql: string;
  parameters: ParametersColumn;
  elapsed_ms: number;
  rows_read: number;
  problem: string;
}
