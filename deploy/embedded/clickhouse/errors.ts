/**
 * ClickHouse's error codes that are raised here, apart from the engine. Names and numbers are ClickHouse's.
 */
const CODES = {
  BAD_ARGUMENTS: 36,
  NOT_IMPLEMENTED: 48,
  CANNOT_READ_ALL_DATA: 33,
  SYNTAX_ERROR: 62,
  UNKNOWN_FORMAT: 73,
  UNKNOWN_TYPE_OF_QUERY: 78,
  UNKNOWN_SETTING: 115,
  INCORRECT_DATA: 117,
  READONLY: 164,
  INTO_OUTFILE_NOT_ALLOWED: 181,
  TOO_MANY_SIMULTANEOUS_QUERIES: 202,
  QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING: 216,
  ABORTED: 236,
  MEMORY_LIMIT_EXCEEDED: 241,
  TOO_MANY_BYTES: 307,
  SUPPORT_IS_DISABLED: 344,
  QUERY_WAS_CANCELLED: 394,
  TOO_MANY_ROWS_OR_BYTES: 396,
  ACCESS_DENIED: 497,
  AUTHENTICATION_FAILED: 516,
  STD_EXCEPTION: 1001,
} as const;

export type CodeName = keyof typeof CODES;

/** A failed request: ClickHouse's code and the whole text that goes into the body, `Code: N. DB::Exception: … (NAME)`. */
export class EngineError extends Error {
  readonly code: number;
  /** An HTTP status that differs from the one ClickHouse gives to the code. */
  readonly status: number | undefined;

  constructor(code: number, text: string, status?: number) {
    super(text);
    this.name = 'EngineError';
    this.code = code;
    this.status = status;
  }
}

/** An error raised by this process, worded as ClickHouse words its own. */
export function raise(name: CodeName, message: string, status?: number): EngineError {
  return new EngineError(CODES[name], `Code: ${String(CODES[name])}. DB::Exception: ${message} (${name})`, status);
}

/**
 * Turns what the addon threw into an error to send. The engine wraps an exception a second time when it passes through
 * its client part, which tells the caller nothing.
 */
export function fromEngine(thrown: unknown): EngineError {
  if (thrown instanceof EngineError) return thrown;
  let text = (thrown instanceof Error ? thrown.message : String(thrown)).trim();
  const wrapped =
    /^Code: \d+\. DB::Exception: (Code: \d+\. DB::Exception: [\s\S]*) \(version [^)]*\)\. \([A-Z_0-9]+\)$/.exec(text);
  if (wrapped !== null) text = wrapped[1]!;
  // Syntax is checked by having the engine print the text, which is then the "scope" of the error.
  text = text.replace(/:? In scope SELECT formatQuerySingleLine\([\s\S]*\)\. (\([A-Z_0-9]+\))$/, ' $1');
  const code = /^Code: (\d+)\./.exec(text);
  if (code === null) {
    return new EngineError(CODES.STD_EXCEPTION, `Code: 1001. DB::Exception: ${text} (STD_EXCEPTION)`);
  }
  return new EngineError(Number(code[1]), text);
}

/** The same error without the path of a temporary file, and without the clause that names it. */
export function withoutPath(error: EngineError, path: string): EngineError {
  const text = error.message
    .replaceAll(` INTO OUTFILE '${path}' TRUNCATE`, '')
    .replaceAll(` FROM INFILE '${path}'`, '')
    .replaceAll(path, '(request body)');
  return new EngineError(error.code, text, error.status);
}

/** Codes by the HTTP status ClickHouse answers them with; every other code is a 500. */
const STATUS_CODES: readonly (readonly [number, readonly number[]])[] = [
  [400, [6, 8, 15, 25, 26, 27, 36, 37, 38, 41, 44, 53, 62, 72, 117, 123, 167, 168, 223, 321, 376, 427, 441, 675, 676]],
  [401, [194]],
  [403, [192, 193, 497, 512, 516]],
  [404, [46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 152, 336, 511]],
  [408, [159]],
  [411, [381]],
  [413, [229]],
  [415, [779]],
  [501, [48]],
  [503, [76, 209, 439]],
];

const STATUS_BY_CODE = new Map(STATUS_CODES.flatMap(([status, codes]) => codes.map((code) => [code, status] as const)));

/** The HTTP status for an error, after ClickHouse's `exceptionCodeToHTTPStatus`. */
export function httpStatus(error: EngineError): number {
  return error.status ?? STATUS_BY_CODE.get(error.code) ?? 500;
}
