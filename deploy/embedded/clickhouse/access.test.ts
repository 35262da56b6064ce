import { describe, expect, test } from 'vitest';

import { authenticate, refuseEscapes, sessionStatements, usersXml } from './access.ts';
import { CLOSED_SYSTEM_TABLES, OPEN_SYSTEM_TABLES } from './system-tables.ts';
import type { SessionRequest } from './access.ts';
import { readConfig } from './config.ts';
import type { EngineError } from './errors.ts';

const config = readConfig({ CLICKHOUSE_PASSWORD: 'right', CLICKHOUSE_ANALYST_PASSWORD: 'also' });
const code = (work: () => unknown): number | undefined => {
  try {
    work();
    return undefined;
  } catch (error) {
    return (error as EngineError).code;
  }
};
const request = (changes: Partial<SessionRequest>): SessionRequest => ({
  user: 'analyst',
  database: 'lanewatch',
  settings: new Map(),
  parameters: new Map(),
  roles: [],
  readOnlyMethod: false,
  inSession: false,
  ...changes,
});
const statements = (changes: Partial<SessionRequest>): string => sessionStatements(request(changes), config.analyst);

describe('signing in', () => {
  test('the right password gives the user, everything else error 516', () => {
    expect(authenticate(config, 'default', 'right')).toBe('default');
    expect(authenticate(config, 'analyst', 'also')).toBe('analyst');
    for (const [name, password] of [
      ['default', ''],
      ['default', 'also'],
      ['nobody', 'right'],
      ['__proto__', ''],
      ['analyst', ''],
    ] as const) {
      expect(code(() => authenticate(config, name, password))).toBe(516);
    }
  });

  test('without a password of its own the analyst does not exist', () => {
    expect(code(() => authenticate(readConfig({}), 'analyst', ''))).toBe(516);
  });
});

describe("the analyst's session", () => {
  test('the role is put on first and settings are frozen last', () => {
    const list = statements({ parameters: new Map([['a', "x'; SET readonly = 0 --"]]) }).split('; ');
    expect(list[0]).toBe('SET ROLE analyst');
    expect(list.at(-1)).toBe("SET readonly = '1'");
    expect(statements({ parameters: new Map([['a', "x'; SET readonly = 0 --"]]) })).toContain(
      "param_a = 'x\\'; SET readonly = 0 --'",
    );
  });

  test('limits are there without being asked for, may be lowered, and never raised or lifted', () => {
    const asked = (value: string): string => statements({ settings: new Map([['max_execution_time', value]]) });
    expect(statements({})).toContain("max_execution_time = '30'");
    expect(asked('5')).toContain("max_execution_time = '5'");
    expect(asked('0.5')).toContain("max_execution_time = '0.5'");
    for (const value of ['31', '60', '0']) expect(asked(value)).toContain("max_execution_time = '30'");
    for (const value of ['-1', '1e9', 'inf', '']) expect([value, code(() => asked(value))]).toEqual([value, 36]);
  });

  test('what clients of other transports send is taken and does nothing', () => {
    expect(statements({ settings: new Map([['network_compression_method', 'LZ4']]) })).not.toContain('network');
  });

  test('settings that change what may be done are refused, harmless ones are kept', () => {
    for (const name of [
      'readonly',
      'allow_ddl',
      'max_rows_to_read',
      'dialect',
      'async_insert',
      'format_schema',
      'user_files_path',
      // The engine writes the schema of a Protobuf answer into the file of this name.
      'output_format_schema',
      'output_format_parallel_formatting',
      'output_format_parquet_parallel_encoding',
      'output_format_of_a_later_engine',
    ]) {
      const settings = new Map([[name, name === 'readonly' ? '0' : '1']]);
      if (name === 'async_insert') expect(statements({ settings })).not.toContain('async_insert');
      else expect([name, code(() => statements({ settings }))]).toEqual([name, 164]);
    }
    expect(statements({ settings: new Map([['output_format_json_quote_64bit_integers', '0']]) })).toContain(
      'output_format_json_quote_64bit_integers',
    );
    expect(statements({ settings: new Map([['readonly', '2']]) })).toContain("SET readonly = '1'");
  });

  test('another role is refused, and no name can break out of the statements', () => {
    expect(code(() => statements({ roles: ['administrator'] }))).toBe(497);
    expect(code(() => statements({ settings: new Map([["x = 1; SET readonly = '0'", '1']]) }))).toBe(115);
    expect(code(() => statements({ parameters: new Map([["x = 1; SET readonly = '0'", '1']]) }))).toBe(36);
    expect(statements({ database: 'x`; DROP DATABASE y' })).toContain('USE `x\\`; DROP DATABASE y`');
  });
});

test('a GET of the default user is read-only even when it asks not to be', () => {
  expect(statements({ user: 'default', readOnlyMethod: true, settings: new Map([['readonly', '0']]) })).toContain(
    "SET readonly = '2'",
  );
});

test('refused functions are found wherever the name stands, and look-alikes in strings are not', () => {
  for (const sql of [
    "SELECT file('x')",
    'SELECT * APPLY file',
    'WITH `file`(1) AS x SELECT x',
    'SELECT `\\x66ile`(1)',
    'SELECT FILE(1)',
    'SELECT "file"(1)',
  ]) {
    expect([
      sql,
      code(() => {
        refuseEscapes(sql);
      }),
    ]).toEqual([sql, 497]);
  }
  expect(
    code(() => {
      refuseEscapes("SELECT 'file', profile, filename FROM t");
    }),
  ).toBeUndefined();
});

test('a SETTINGS clause is refused at any depth, a column of that name is not', () => {
  expect(
    code(() => {
      refuseEscapes('SELECT * FROM (SELECT 1 SETTINGS readonly = 0)');
    }),
  ).toBe(164);
  expect(
    code(() => {
      refuseEscapes("SELECT settings, `SETTINGS`, 'SETTINGS x' FROM t");
    }),
  ).toBeUndefined();
});

test('a system table is either open or closed, and a database name cannot break the configuration', () => {
  expect(OPEN_SYSTEM_TABLES.filter((table) => CLOSED_SYSTEM_TABLES.includes(table))).toEqual([]);
  expect(new Set(CLOSED_SYSTEM_TABLES).size).toBe(CLOSED_SYSTEM_TABLES.length);
  expect(usersXml('a<b&c')).toContain('GRANT SELECT ON `a&lt;b&amp;c`.*');
});
