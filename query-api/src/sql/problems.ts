import { ClickHouseError } from '@clickhouse/client';
import { StoreUnavailableError } from '../clickhouse.ts';
import { ProblemError } from '../http/problem.ts';
import { FORMAT_CLAUSES } from './analyst.ts';

/** Codes of the engine for what an analyst may not do: access, readonly, files, external sources. */
const REFUSED = new Set(['164', '497', '291', '446', '479', '482', '487', '723']);
/** Too much: rows, time, memory, bytes, depth, result size. */
const TOO_MUCH = new Set(['158', '159', '160', '161', '162', '167', '168', '241', '307', '396', '394']);
/** Too many at once, or what is asked is not there yet. */
const BUSY = new Set(['202', '439', '516']);

/**
 * What came of a query that did not run, for whoever wrote it: the engine's own words, without what it says of itself, and the place in the
 * text where there is one.
 * @param sql the text as it was sent
 */
export function problemOf(error: unknown, sql: string): Error {
  if (!(error instanceof ClickHouseError)) {
    return error instanceof ProblemError ? error : new StoreUnavailableError(error);
  }
  const message = wordsOf(error.message);
  if (BUSY.has(error.code)) return new StoreUnavailableError(error);
  const place = placeOf(message, sql);
  const errors = [{ path: 'sql', message: place === null ? message : `${place}: ${message}` }];
  if (REFUSED.has(error.code)) return new ProblemError('query_refused', `The query may not run. ${message}`, errors);
  if (TOO_MUCH.has(error.code)) {
    const advice = 'Ask for fewer days or columns, or group before joining.';
    return new ProblemError('read_too_large', `The query takes more than it may. ${message} ${advice}`, errors);
  }
  return new ProblemError('query_invalid', errors[0]!.message, errors);
}

const MESSAGE_CHARS_MAX = 2_000;

/** Without code, exception's name, version, stack, what we put behind the text, and the long list of all that could stand there instead. */
function wordsOf(message: string): string {
  return FORMAT_CLAUSES.reduce((text, clause) => text.replaceAll(clause, ''), message)
    .replace(/^Code: \d+\.\s*/, '')
    .replace(/^DB::(?:\w+::)?Exception:\s*/, '')
    .replace(/\s*\(version [^)]*(?:\([^)]*\))?[^)]*\)\s*$/, '')
    .replace(/\s*\([A-Z_]+\)\s*$/, '')
    .replace(/Expected one of: .*$/s, (list) => (list.length > 200 ? '' : list))
    .replace(/ in scope .*?(?=\. Maybe you meant|$)/s, '')
    .replace(/: While processing .*$/s, '')
    .trim()
    .slice(0, MESSAGE_CHARS_MAX);
}

/** `line 3, column 14` of what the message is about: the position it names, else the name it does not know. */
function placeOf(message: string, sql: string): string | null {
  const position = /failed at position (\d+)/.exec(message)?.[1];
  const at = position === undefined ? positionOfName(message, sql) : indexOfByte(sql, Number(position) - 1);
  if (at === null || at > sql.length) return null;
  const before = sql.slice(0, at).split('\n');
  return `line ${before.length}, column ${before.at(-1)!.length + 1}`;
}

function positionOfName(message: string, sql: string): number | null {
  const name = /[`']([\w.]{1,100})[`']/.exec(message)?.[1]?.split('.').at(-1);
  if (name === undefined) return null;
  const at = new RegExp(`(?<![\\w.])(?:\\w+\\.)*${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}\\b`).exec(sql)?.index;
  return at ?? null;
}

/** The engine counts bytes. */
function indexOfByte(sql: string, byte: number): number {
  return Buffer.from(sql, 'utf8').subarray(0, byte).toString('utf8').length;
}
