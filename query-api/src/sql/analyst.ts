import type { Readable } from 'node:stream';
import { ClickHouseError, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { ClickHouseSettings } from '@clickhouse/client';
import type { SqlColumn, SqlStatistics } from '../../contract/index.ts';

/** Longest that a query may take. */
export const SQL_SECONDS_MAX = 30;
const CONNECTIONS_MAX = 8;

/** Forms in which all rows of an answer are handed out, as a file or a stream. */
export const FILE_FORMATS = {
  'application/x-ndjson': { format: 'JSONEachRow', extension: 'ndjson' },
  'text/csv': { format: 'CSVWithNames', extension: 'csv' },
  'application/vnd.apache.parquet': { format: 'Parquet', extension: 'parquet' },
} as const;
export type FileType = keyof typeof FILE_FORMATS;

/** How rows come that are shown as they come. */
const ROWS_FORMAT = 'JSONCompactEachRowWithProgress';
/** What follows a text that is run; the engine repeats it where it complains. */
const formatClause = (format: string): string => `\nFORMAT ${format}`;
export const FORMAT_CLAUSES = [ROWS_FORMAT, ...Object.values(FILE_FORMATS).map(({ format }) => format)].map(
  formatClause,
);

type Parameters = Readonly<Record<string, string | number | boolean>>;

/** What a running query tells, in this order: columns once, then rows and progress mixed. */
export interface SqlListener {
  columns(columns: SqlColumn[]): void;
  /** @returns whether more rows are wanted; without it the query ends */
  row(cells: unknown[]): boolean;
  progress(read: SqlStatistics & { rows_total: number }): void;
}

/** The engine as analysts see it: a user of its own that may only read the published tables, within limits. */
export interface AnalystEngine {
  readonly database: string;
  readonly user: string;
  readonly url: string;
  /** Runs a statement and tells what comes; resolves at its end. @throws ClickHouseError, or whatever kept the engine from answering */
  run(sql: string, parameters: Parameters, listener: SqlListener, signal: AbortSignal): Promise<SqlStatistics>;
  /** All rows in one of the file formats. Errors after the first byte break the stream. */
  file(sql: string, parameters: Parameters, type: FileType, signal: AbortSignal): Promise<Readable>;
  /** Rows of a statement that is our own, or of one put before a text of an analyst. */
  rows<Row>(sql: string, parameters?: Parameters, secondsMax?: number): Promise<Row[]>;
  close(): Promise<void>;
}

interface Connection {
  url: string;
  user: string;
  password: string;
  database: string;
}

/** Rows of one key are merged as they are read, so that findings and credentials show their newest state. */
const SETTINGS: ClickHouseSettings = { final: 1, max_execution_time: SQL_SECONDS_MAX };
/** Numbers that JavaScript would round travel as texts. */
const EXACT: ClickHouseSettings = { output_format_json_quote_64bit_integers: 1, output_format_json_quote_decimals: 1 };
/** The engine's word comes first, so that it can say why. */
const PATIENCE_MS = (SQL_SECONDS_MAX + 5) * 1_000;

/** Opens the connection; nothing is sent before the first query. */
export function openAnalyst({ url, user, password, database }: Connection): AnalystEngine {
  const client = createClient({
    ...{ url, username: user, password, database },
    request_timeout: PATIENCE_MS,
    application: 'lanewatch-sql',
    max_open_connections: CONNECTIONS_MAX,
    log: { level: ClickHouseLogLevel.OFF },
  });
  return {
    ...{ database, user, url },
    async run(sql, parameters, listener, signal) {
      const stop = new AbortController();
      const startedMs = performance.now();
      const seen = { rows_read: 0, bytes_read: 0 };
      const statistics = () => ({ ...seen, elapsed_ms: Math.round(performance.now() - startedMs) });
      const { stream } = await client.exec({
        query: withoutEnd(sql) + formatClause(ROWS_FORMAT),
        query_params: parameters,
        clickhouse_settings: { ...SETTINGS, ...EXACT },
        abort_signal: AbortSignal.any([signal, stop.signal]),
      });
      for await (const text of linesOf(stream as Readable)) {
        const said = lineOf(text);
        if (said === null) continue;
        if (said.meta !== undefined) listener.columns(said.meta);
        else if (said.progress !== undefined) {
          seen.rows_read = Number(said.progress.read_rows ?? 0);
          seen.bytes_read = Number(said.progress.read_bytes ?? 0);
          listener.progress({ ...statistics(), rows_total: Number(said.progress.total_rows_to_read ?? 0) });
        } else if (said.row !== undefined && !listener.row(said.row)) {
          stop.abort();
          break;
        }
      }
      return statistics();
    },
    async file(sql, parameters, type, signal) {
      const { stream } = await client.exec({
        query: withoutEnd(sql) + formatClause(FILE_FORMATS[type].format),
        query_params: parameters,
        clickhouse_settings: SETTINGS,
        abort_signal: signal,
      });
      return stream as Readable;
    },
    async rows<Row>(sql: string, parameters: Parameters = {}, secondsMax = SQL_SECONDS_MAX) {
      const result = await client.query({
        query: withoutEnd(sql),
        query_params: parameters,
        clickhouse_settings: { ...SETTINGS, max_execution_time: secondsMax },
        format: 'JSONEachRow',
      });
      return result.json<Row>();
    },
    close: () => client.close(),
  };
}

/** What a line of an answer says; empty lines and what nobody asked for say nothing. */
interface Line {
  meta?: SqlColumn[];
  row?: unknown[];
  progress?: { read_rows?: string; read_bytes?: string; total_rows_to_read?: string };
}

/** @throws ClickHouseError when the engine gave up after it had begun to answer, which it says in the answer itself */
function lineOf(text: string): Line | null {
  if (text.startsWith('{') && !text.startsWith('{"exception"')) return JSON.parse(text) as Line;
  const failure = /Code: (\d+)\. (.*)/s.exec(text);
  if (failure !== null) throw new ClickHouseError({ code: failure[1]!, message: failure[2]!, type: '' });
  return null;
}

/** Lines as they come. Ending early ends the stream. */
async function* linesOf(stream: Readable): AsyncGenerator<string> {
  // After an early end nobody else would hear that the connection was cut.
  stream.on('error', () => undefined);
  let rest = '';
  for await (const chunk of stream.setEncoding('utf8') as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop()!;
    yield* lines;
  }
  if (rest !== '') yield rest;
}

/** A text that FORMAT can follow, also where it ends with a semicolon, a comment, or both. */
function withoutEnd(sql: string): string {
  for (let text = sql; ;) {
    const shorter = text
      .replace(/[;\s]+$/, '')
      .replace(/--[^\n'"`]*$/, '')
      .replace(/\/\*[^*]*\*\/$/, '');
    if (shorter === text) return text;
    text = shorter;
  }
}
