import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { quoteIdentifier, quoteString, readStatement, tokens } from './statement.ts';

const words = (sql: string): string[] => [...tokens(sql)].map((token) => token.text);

describe('tokens', () => {
  test('comments of every kind fall away, and what looks like one inside a literal stays', () => {
    expect(words("SELECT /* a ; */ 1 -- b\n, '-- c' # d\n, `/*e*/`")).toEqual([
      'SELECT',
      '1',
      ',',
      "'-- c'",
      ',',
      '/*e*/',
    ]);
  });

  test('a quote is ended neither by a backslashed nor by a doubled one', () => {
    expect(words(String.raw`'a\'b' 'c''d' x`)).toEqual([String.raw`'a\'b'`, "'c''d'", 'x']);
  });

  test('a here-document is one token', () => {
    expect(words('SELECT $x$ FORMAT $$ JSON $x$ FROM t')).toEqual(['SELECT', '$x$ FORMAT $$ JSON $x$', 'FROM', 't']);
  });

  test('for any text tokens are in order, do not overlap, and come from the text', () => {
    const piece = fc.oneof(
      fc.constantFrom("'", '"', '`', '\\', '--', '/*', '*/', '\n', '$$', '(', ')', ';', ' '),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const sql = pieces.join('');
        let end = 0;
        for (const token of tokens(sql)) {
          expect(token.start).toBeGreaterThanOrEqual(end);
          expect(token.end).toBeGreaterThan(token.start);
          expect(token.end).toBeLessThanOrEqual(sql.length);
          end = token.end;
        }
      }),
    );
  });

  test('any text quoted as a string or an identifier is one token', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect([...tokens(`${quoteString(text)} x`)].map((token) => token.kind)).toEqual(['string', 'word']);
        expect([...tokens(`${quoteIdentifier(text)} x`)].map((token) => token.kind)).toEqual(['quoted', 'word']);
      }),
    );
  });
});

describe('an INSERT with data', () => {
  const insert = (sql: string): unknown => {
    const statement = readStatement(sql);
    return statement.kind === 'insert-data'
      ? [statement.head.trim(), statement.settings.trim(), statement.format, sql.slice(statement.dataStart)]
      : statement.kind;
  };

  test.each([
    ['INSERT INTO t FORMAT Native\n\0\x01', ['INSERT INTO t', '', 'Native', '\0\x01']],
    ['insert into t format TSV \t1', ['insert into t', '', 'TSV', '1']],
    ['INSERT INTO t FORMAT TSV\r\n\n1', ['INSERT INTO t', '', 'TSV', '\n1']],
    ["INSERT INTO db.`t` (a, b) VALUES (1, ';')", ['INSERT INTO db.`t` (a, b)', '', 'Values', "(1, ';')"]],
    ['INSERT INTO t SETTINGS x = 1 FORMAT CSV\n1', ['INSERT INTO t', 'SETTINGS x = 1', 'CSV', '1']],
    ['INSERT INTO TABLE format.format FORMAT CSV\n1', ['INSERT INTO TABLE format.format', '', 'CSV', '1']],
    ['INSERT INTO values VALUES (1)', ['INSERT INTO values', '', 'Values', '(1)']],
    [
      "/* FORMAT x */ INSERT INTO FUNCTION null('a Int8') VALUES (1)",
      ["/* FORMAT x */ INSERT INTO FUNCTION null('a Int8')", '', 'Values', '(1)'],
    ],
  ])('%j', (sql, expected) => {
    expect(insert(sql)).toEqual(expected);
  });

  test.each([
    'INSERT INTO t SELECT 1',
    'INSERT INTO t (a) WITH 1 AS x SELECT x FORMAT Null',
    "INSERT INTO t FROM INFILE 'x' FORMAT CSV",
    'SELECT 1',
  ])('%s has none', (sql) => {
    expect(insert(sql)).toBe('other');
  });
});

describe('another statement', () => {
  const other = (sql: string): unknown => {
    const statement = readStatement(sql);
    return statement.kind === 'other' ? [statement.format, `${sql.slice(0, statement.outfileAt)}|`] : statement.kind;
  };

  test.each([
    ['SELECT 1', [undefined, 'SELECT 1|']],
    ['SELECT 1 ; ; -- end', [undefined, 'SELECT 1|']],
    ['SELECT 1 FORMAT JSON', ['JSON', 'SELECT 1 |']],
    ['SELECT 1 format JSON SETTINGS x = 1', ['JSON', 'SELECT 1 |']],
    ['SELECT t.format JSON', [undefined, 'SELECT t.format JSON|']],
    ['SELECT 1 AS format', [undefined, 'SELECT 1 AS format|']],
    ["SELECT 'FORMAT JSON'", [undefined, "SELECT 'FORMAT JSON'|"]],
    ['SELECT (SELECT 1 FORMAT JSON)', [undefined, 'SELECT (SELECT 1 FORMAT JSON)|']],
    ['', [undefined, '|']],
  ])('%j', (sql, expected) => {
    expect(other(sql)).toEqual(expected);
  });

  test('files of the client and input() are noticed, and text that only looks like them is not', () => {
    const read = (sql: string): unknown => {
      const statement = readStatement(sql);
      return (
        statement.kind === 'other' && [statement.writesClientFile, statement.readsClientFile, statement.readsInput]
      );
    };
    expect(read("SELECT 1 INTO /* x */ OUTFILE 'f'")).toEqual([true, false, false]);
    expect(read("INSERT INTO t FROM INFILE 'f'")).toEqual([false, true, false]);
    expect(read("INSERT INTO t SELECT * FROM input ('a Int8')")).toEqual([false, false, true]);
    expect(read("SELECT 'INTO OUTFILE'")).toEqual([false, false, false]);
  });
});
