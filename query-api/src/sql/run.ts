import type { SqlProgress, SqlRequest, SqlResult } from '../../contract/index.ts';
import type { AnalystEngine } from './analyst.ts';
import { problemOf } from './problems.ts';

/** Most that the rows of one answer may weigh, as JSON; a page could not show more, and files have no such limit. */
const ROWS_CHARS_MAX = 16 * 1024 * 1024;
/** Progress is told no more often. */
const PROGRESS_INTERVAL_MS = 250;

/**
 * Runs a query and gives its first rows.
 * @param onProgress told a few times a second how far it is
 * @throws {ProblemError} for a query that can't or may not run, {@link StoreUnavailableError} when the engine is away
 */
export async function runQuery(
  engine: AnalystEngine,
  { sql, parameters, max_rows: rowsMax }: SqlRequest,
  signal: AbortSignal,
  onProgress: (progress: Extract<SqlProgress, { kind: 'progress' }>) => void = () => undefined,
): Promise<SqlResult> {
  const result: SqlResult = {
    columns: [],
    rows: [],
    truncated: false,
    statistics: { elapsed_ms: 0, rows_read: 0, bytes_read: 0 },
  };
  let chars = 0;
  let toldMs = -Infinity;
  const listener = {
    columns: (columns: SqlResult['columns']) => void (result.columns = columns),
    row(cells: unknown[]): boolean {
      if (result.rows.length >= rowsMax || chars > ROWS_CHARS_MAX) {
        result.truncated = true;
        return false;
      }
      chars += JSON.stringify(cells).length;
      result.rows.push(cells);
      return true;
    },
    progress({ rows_total, ...read }: SqlResult['statistics'] & { rows_total: number }): void {
      if (performance.now() - toldMs < PROGRESS_INTERVAL_MS) return;
      toldMs = performance.now();
      onProgress({ kind: 'progress', ...read, rows_total });
    },
  };
  try {
    result.statistics = await engine.run(sql, parameters, listener, signal);
    return result;
  } catch (error) {
    throw problemOf(error, sql);
  }
}
