/**
 * Reads SQL text only as far as the HTTP interface must: where tokens begin and end, where an INSERT's data starts,
 * which FORMAT a query asks for. What a statement *may do* is never decided from here, but by the engine's own parser.
 */

export type Token = {
  kind: 'word' | 'quoted' | 'string' | 'number' | 'symbol';
  /** The text as written; for a quoted identifier without its quotes. */
  text: string;
  start: number;
  end: number;
  /** How many parentheses, brackets and braces are open around it. */
  depth: number;
};

const WORD_START = /[A-Za-z_]/;
const WORD = /[A-Za-z0-9_$]*/y;
const NUMBER = /[0-9][A-Za-z0-9_.]*/y;
const HEREDOC = /\$[A-Za-z0-9_]*\$/y;
const SPACE = /\s+/y;

/** Splits SQL into tokens; comments and white space fall away. An unfinished literal or comment reaches to the end. */
export function* tokens(sql: string): Generator<Token> {
  let position = 0;
  let depth = 0;
  const sticky = (expression: RegExp): string => {
    expression.lastIndex = position;
    return expression.exec(sql)?.[0] ?? '';
  };
  while (position < sql.length) {
    const space = sticky(SPACE);
    if (space !== '') {
      position += space.length;
      continue;
    }
    const start = position;
    const first = sql[position]!;
    const pair = sql.slice(position, position + 2);
    if (pair === '--' || pair === '# ' || pair === '#!') {
      position = endOf(sql.indexOf('\n', position), 1, sql);
      continue;
    }
    if (pair === '/*') {
      position = endOf(sql.indexOf('*/', position + 2), 2, sql);
      continue;
    }
    if (first === "'" || first === '`' || first === '"') {
      position = endOfQuoted(sql, position);
      const kind = first === "'" ? 'string' : 'quoted';
      yield {
        kind,
        text: kind === 'string' ? sql.slice(start, position) : unquote(sql.slice(start, position)),
        start,
        end: position,
        depth,
      };
      continue;
    }
    const heredoc = first === '$' ? sticky(HEREDOC) : '';
    if (heredoc !== '') {
      position = endOf(sql.indexOf(heredoc, position + heredoc.length), heredoc.length, sql);
      yield { kind: 'string', text: sql.slice(start, position), start, end: position, depth };
      continue;
    }
    if (WORD_START.test(first)) {
      position += sticky(WORD).length;
      yield { kind: 'word', text: sql.slice(start, position), start, end: position, depth };
      continue;
    }
    const digits = sticky(NUMBER);
    if (digits !== '') {
      position += digits.length;
      yield { kind: 'number', text: digits, start, end: position, depth };
      continue;
    }
    position += 1;
    if (first === ')' || first === ']' || first === '}') depth -= 1;
    yield { kind: 'symbol', text: first, start, end: position, depth };
    if (first === '(' || first === '[' || first === '{') depth += 1;
  }
}

function endOf(found: number, length: number, sql: string): number {
  return found < 0 ? sql.length : found + length;
}

/** End of a quoted text: a backslash takes the next character with it, a doubled quote is one quote. */
function endOfQuoted(sql: string, start: number): number {
  const quote = sql[start]!;
  let position = start + 1;
  while (position < sql.length) {
    const character = sql[position]!;
    if (character === '\\') position += 2;
    else if (character !== quote) position += 1;
    else if (sql[position + 1] === quote) position += 2;
    else return position + 1;
  }
  return sql.length;
}

function unquote(text: string): string {
  const quote = text[0]!;
  return text.slice(1, text.endsWith(quote) && text.length > 1 ? -1 : undefined).replaceAll(quote + quote, quote);
}

/** True when the token is the bare keyword (any case). */
function isKeyword(token: Token | undefined, ...keywords: readonly string[]): boolean {
  return token?.kind === 'word' && keywords.includes(token.text.toUpperCase());
}

export type InsertStatement = {
  kind: 'insert-data';
  /** The statement up to where `FROM INFILE …` has to go. */
  head: string;
  /** What follows it: `SETTINGS …`, or nothing. */
  settings: string;
  format: string;
  /** Offset of the first byte of data in the text, in characters. */
  dataStart: number;
};

export type OtherStatement = {
  kind: 'other';
  /** The FORMAT the text asks for, if it does. */
  format: string | undefined;
  /** Where INTO OUTFILE belongs: before FORMAT, or after the last token. */
  outfileAt: number;
  /** INTO OUTFILE and FROM INFILE name files of the *client*, which an HTTP server cannot reach. */
  writesClientFile: boolean;
  readsClientFile: boolean;
  /** INSERT … SELECT … FROM input(…), which this engine runs without inserting anything. */
  readsInput: boolean;
  isInsert: boolean;
};

/**
 * Sorts a request's text into an INSERT whose data follows, and anything else.
 */
export function readStatement(sql: string): InsertStatement | OtherStatement {
  return readInsert(sql) ?? readOther(sql);
}

/**
 * An INSERT whose data is in the text or in the body: `INSERT INTO t (…) [SETTINGS …] FORMAT f | VALUES`.
 * The scan stops at the data, which need not be text at all.
 */
function readInsert(sql: string): InsertStatement | undefined {
  const stream = tokens(sql);
  const next = (): Token | undefined => {
    const step = stream.next();
    return step.done === true ? undefined : step.value;
  };
  if (!isKeyword(next(), 'INSERT')) return undefined;
  let table = next();
  if (isKeyword(table, 'INTO')) table = next();
  if (isKeyword(table, 'TABLE')) table = next();
  if (isKeyword(table, 'FUNCTION')) next();
  // The table's name may be a word that is a keyword elsewhere, so it is passed by unread.
  let token = next();
  while (token?.text === '.' && token.kind === 'symbol') {
    next();
    token = next();
  }
  let settingsStart: number | undefined;
  for (; token !== undefined; token = next()) {
    if (token.depth > 0) continue;
    if (isKeyword(token, 'SELECT', 'WITH', 'FROM')) return undefined;
    if (isKeyword(token, 'SETTINGS')) settingsStart ??= token.start;
    const values = isKeyword(token, 'VALUES');
    if (!values && !isKeyword(token, 'FORMAT')) continue;
    const formatToken = values ? token : next();
    if (formatToken?.kind !== 'word') return undefined;
    const headEnd = settingsStart ?? token.start;
    return {
      kind: 'insert-data',
      head: sql.slice(0, headEnd),
      settings: sql.slice(headEnd, token.start),
      format: values ? 'Values' : formatToken.text,
      dataStart: skipToData(sql, formatToken.end),
    };
  }
  return undefined;
}

/** ClickHouse's rule: spaces and tabs, an optional semicolon's absence, then at most one line break belong to the statement. */
function skipToData(sql: string, from: number): number {
  let position = from;
  while (sql[position] === ' ' || sql[position] === '\t' || sql[position] === '\f') position += 1;
  if (sql[position] === '\r') position += 1;
  if (sql[position] === '\n') position += 1;
  return position;
}

function readOther(sql: string): OtherStatement {
  const list = [...tokens(sql)];
  while (list.at(-1)?.text === ';' && list.at(-1)?.kind === 'symbol') list.pop();
  const top = list.filter((token) => token.depth === 0);
  const follows = (first: string, second: string): boolean =>
    top.some((token, index) => isKeyword(token, first) && isKeyword(top[index + 1], second));
  // The last FORMAT that nothing but a name and settings follows; anything else called "format" is a column or an alias.
  const formatIndex = top.findLastIndex((token, index) => {
    const after = top[index + 2];
    return (
      isKeyword(token, 'FORMAT') &&
      index > 0 &&
      top[index - 1]!.text !== '.' &&
      top[index + 1]?.kind === 'word' &&
      (after === undefined || isKeyword(after, 'SETTINGS'))
    );
  });
  const format = formatIndex < 0 ? undefined : top[formatIndex + 1]!.text;
  return {
    kind: 'other',
    format,
    outfileAt: formatIndex < 0 ? (list.at(-1)?.end ?? sql.length) : top[formatIndex]!.start,
    writesClientFile: follows('INTO', 'OUTFILE'),
    readsClientFile: follows('FROM', 'INFILE'),
    readsInput: list.some((token, index) => isKeyword(token, 'INPUT') && list[index + 1]?.text === '('),
    isInsert: isKeyword(top[0], 'INSERT'),
  };
}

/** A string literal. */
export function quoteString(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\0', '\\0')}'`;
}

/** An identifier in back quotes. */
export function quoteIdentifier(value: string): string {
  return `\`${value.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``;
}
