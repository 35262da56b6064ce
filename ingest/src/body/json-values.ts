import { describeJsonFault, findJsonFault } from './json-error.ts';

/** One value found in a body, or the reason why there is none at this place. */
export type ParsedValue = { ok: true; value: unknown } | { ok: false; message: string };

const OBJECT_OPEN = 0x7b;
const OBJECT_CLOSE = 0x7d;
const ARRAY_OPEN = 0x5b;
const ARRAY_CLOSE = 0x5d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LINE_FEED = 0x0a;

const isBlank = (code: number) => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;

/**
 * The end of the value that starts at `start`: past its closing bracket or quote, or at the blank that ends a number or
 * word. Looks only at brackets and quotes; whether the slice is JSON is for JSON.parse to say. `text.length` when it never ends.
 */
function endOfJsonValue(text: string, start: number): number {
  const first = text.charCodeAt(start);
  if (first === QUOTE) return endOfText(text, start);
  if (first !== OBJECT_OPEN && first !== ARRAY_OPEN) {
    let at = start;
    while (at < text.length && !isBlank(text.charCodeAt(at))) at++;
    return at;
  }
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfText(text, at) - 1;
    else if (code === OBJECT_OPEN || code === ARRAY_OPEN) depth++;
    else if ((code === OBJECT_CLOSE || code === ARRAY_CLOSE) && --depth === 0) return at + 1;
  }
  return text.length;
}

function endOfText(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); quote !== -1; quote = text.indexOf('"', quote + 1)) {
    let slashes = 0;
    while (text.charCodeAt(quote - 1 - slashes) === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return quote + 1;
  }
  return text.length;
}

/** Looking for the end of a broken value can take the whole text, so the number of such searches is bounded. */
const FAULTS_MAX = 10;

/**
 * Every value of a text that holds one after the other, with blanks, line breaks or nothing between them. After a broken value it
 * goes on at the next line, or stops when there is none or too many were broken.
 */
export function* concatenatedJsonValues(text: string): Generator<ParsedValue> {
  let at = 0;
  let faults = 0;
  for (;;) {
    while (at < text.length && isBlank(text.charCodeAt(at))) at++;
    if (at >= text.length) return;
    const end = endOfJsonValue(text, at);
    const parsed = parseOne(text.slice(at, end));
    if (parsed.ok) {
      yield parsed;
      at = end;
      continue;
    }
    yield { ok: false, message: faultAt(text, at, end) };
    if (++faults === FAULTS_MAX) {
      yield { ok: false, message: `the body was not read further after ${FAULTS_MAX} broken values` };
      return;
    }
    const nextLine = text.indexOf('\n', at);
    if (nextLine === -1) return;
    at = nextLine + 1;
  }
}

/** Every line's value. A line may hold several values in a row; a broken line is reported and the rest goes on. */
export function* jsonLines(text: string): Generator<ParsedValue> {
  let line = 1;
  let lineStart = 0;
  for (let at = 0; ;) {
    // Blank lines are passed over here, because a body may be nothing else and each refusal of JSON.parse costs a thousand times more.
    for (; at < text.length && isBlank(text.charCodeAt(at)); at++) {
      if (text.charCodeAt(at) !== LINE_FEED) continue;
      line++;
      lineStart = at + 1;
    }
    if (at >= text.length) return;
    at = text.indexOf('\n', at);
    if (at === -1) at = text.length;
    const slice = text.slice(lineStart, at);
    const parsed = parseOne(slice);
    if (parsed.ok) yield parsed;
    else yield* severalOnOneLine(slice, lineStart, line);
  }
}

function* severalOnOneLine(slice: string, lineStart: number, line: number): Generator<ParsedValue> {
  let at = 0;
  for (;;) {
    while (at < slice.length && isBlank(slice.charCodeAt(at))) at++;
    if (at >= slice.length) return;
    const end = endOfJsonValue(slice, at);
    const parsed = parseOne(slice.slice(at, end));
    if (!parsed.ok) {
      yield { ok: false, message: faultAt(slice, at, end, lineStart, line) };
      return;
    }
    yield parsed;
    at = end;
  }
}

/**
 * Reads a body by what it is rather than by what it claims: one value, an array (its elements), values line by line, or values
 * in a row. LiteLLM, for one, sends lines under `application/json`.
 * @returns the values, or the fault when the body as a whole cannot be read
 */
export function jsonValues(text: string): { ok: true; values: Iterable<ParsedValue> } | { ok: false; message: string } {
  const whole = parseOne(text);
  if (whole.ok) {
    return { ok: true, values: Array.isArray(whole.value) ? ofArray(whole.value) : [whole] };
  }
  const start = text.search(/\S/);
  if (start === -1) return { ok: false, message: 'the body is empty' };
  // Of several values the first is whole. If it is not, nothing after it can be trusted to be a value of its own.
  const end = endOfJsonValue(text, start);
  if (!parseOne(text.slice(start, end)).ok || text.slice(end).trim() === '') {
    return { ok: false, message: faultAt(text, start, text.length) };
  }
  // A first line that is whole means lines, where a broken one cannot swallow the next.
  const lineEnd = text.indexOf('\n', start);
  const isLines = lineEnd >= end && parseOne(text.slice(start, lineEnd)).ok;
  return { ok: true, values: isLines ? jsonLines(text) : concatenatedJsonValues(text) };
}

function* ofArray(values: unknown[]): Generator<ParsedValue> {
  for (const value of values) yield { ok: true, value };
}

function parseOne(text: string): ParsedValue {
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch {
    return { ok: false, message: '' };
  }
}

/** Describes the fault of a slice with its position in the whole text; `text` itself may begin at a later line of the body. */
function faultAt(text: string, start: number, end: number, textStart = 0, firstLine = 1): string {
  const fault = findJsonFault(text.slice(start, end));
  if (fault === null) return 'not valid JSON';
  const before = text.slice(0, start);
  const lines = before.split('\n');
  const line = firstLine - 1 + lines.length - 1 + fault.line;
  const column = fault.line === 1 ? (lines.at(-1)?.length ?? 0) + fault.column : fault.column;
  return describeJsonFault({ offset: textStart + start + fault.offset, line, column, reason: fault.reason });
}
