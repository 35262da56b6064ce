/** Where a text stops being JSON. */
export interface JsonFault {
  /** UTF-16 units from the start. */
  offset: number;
  /** Both from 1. */
  line: number;
  column: number;
  reason: string;
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const LITERAL = /true|false|null/y;
const BLANK = /[ \t\n\r]*/y;

/**
 * Finds the first fault of a text that JSON.parse refused. The engine's own message is of no use here: it names no position
 * for short texts and repeats the text itself, which may hold a secret.
 * @returns null when the text is one whole JSON value after all
 */
export function findJsonFault(text: string): JsonFault | null {
  let at = 0;
  const fault = (reason: string): JsonFault => ({ offset: at, ...lineAndColumn(text, at), reason });
  const match = (pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    if (!pattern.test(text)) return false;
    at = pattern.lastIndex;
    return true;
  };
  /** By hand: a pattern that repeats a choice needs stack in proportion to the text. */
  const matchText = (): boolean => {
    const start = at++;
    for (;;) {
      const code = text.charCodeAt(at);
      if (code === 0x22) {
        at++;
        return true;
      }
      if (code === 0x5c) {
        if (match(ESCAPE)) continue;
      } else if (code >= 0x20) {
        at++;
        continue;
      }
      // NaN (the end), a control character, or an escape that is none: point at the text if it never ends, else at the spot.
      if (Number.isNaN(code)) at = start;
      return false;
    }
  };
  /** One entry per open bracket, so that depth costs memory in proportion and never stack. */
  const open: ('[' | '{')[] = [];
  let expect: 'value' | 'valueOrEnd' | 'key' | 'keyOrEnd' | 'commaOrEnd' | 'end' = 'value';
  for (;;) {
    match(BLANK);
    const char = text[at];
    if (expect === 'end') return at === text.length ? null : fault('something follows the value');
    if (char === undefined) return fault('the text ends too early');
    if (expect === 'commaOrEnd') {
      const inside = open.at(-1);
      if (char === ',') {
        at++;
        expect = inside === '{' ? 'key' : 'value';
      } else if (char === (inside === '{' ? '}' : ']')) {
        at++;
        open.pop();
        expect = open.length > 0 ? 'commaOrEnd' : 'end';
      } else return fault(`expected a comma or ${inside === '{' ? 'closing brace' : 'closing bracket'}`);
      continue;
    }
    const canEnd: string | null = expect === 'keyOrEnd' ? '}' : expect === 'valueOrEnd' ? ']' : null;
    if (char === canEnd) {
      at++;
      open.pop();
      expect = open.length > 0 ? 'commaOrEnd' : 'end';
      continue;
    }
    if (expect === 'key' || expect === 'keyOrEnd') {
      if (char !== '"') return fault('expected a name in double quotes');
      if (!matchText()) return fault('this text in quotes is not valid or not closed');
      match(BLANK);
      if (text[at] !== ':') return fault('expected a colon');
      at++;
      expect = 'value';
      continue;
    }
    if (char === '{' || char === '[') {
      at++;
      open.push(char);
      expect = char === '{' ? 'keyOrEnd' : 'valueOrEnd';
      continue;
    }
    if (char === '"' && !matchText()) return fault('this text in quotes is not valid or not closed');
    if (char !== '"' && !match(NUMBER) && !match(LITERAL)) return fault('expected a value');
    expect = open.length > 0 ? 'commaOrEnd' : 'end';
  }
}

function lineAndColumn(text: string, offset: number): { line: number; column: number } {
  let line = 1;
  let lineStart = 0;
  for (let next = text.indexOf('\n'); next !== -1 && next < offset; next = text.indexOf('\n', lineStart)) {
    line++;
    lineStart = next + 1;
  }
  return { line, column: offset - lineStart + 1 };
}

/** The fault as a sentence for the sender. */
export function describeJsonFault(fault: JsonFault): string {
  return `not valid JSON at line ${fault.line}, column ${fault.column} (offset ${fault.offset}): ${fault.reason}`;
}
