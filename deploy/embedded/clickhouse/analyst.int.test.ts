import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';

import type { ClickHouseClient, ClickHouseError } from '@clickhouse/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { analystShare } from './config.ts';
import { startEmbeddedClickHouse } from './spawn.ts';
import type { EmbeddedClickHouse } from './spawn.ts';
import { ask, codeOf, connectTo } from './testing.ts';

describe('the analyst', () => {
  let engine: EmbeddedClickHouse;
  let home: string;
  let owner: ClickHouseClient;
  let analyst: ClickHouseClient;
  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'lanewatch-analyst-'));
    mkdirSync(join(home, 'data'), { mode: 0o755 });
    engine = await startEmbeddedClickHouse({
      path: home,
      env: {
        CLICKHOUSE_ANALYST_RESULT_BYTES_MAX: '100000',
        CLICKHOUSE_ANALYST_EXECUTION_SECONDS_MAX: '1',
        CLICKHOUSE_ANALYST_MEMORY_BYTES_MAX: '50000000',
      },
    });
    owner = connectTo(engine);
    analyst = connectTo(engine, 'analyst');
    for (const query of [
      'CREATE TABLE events (a UInt64, file_name String) ENGINE = MergeTree ORDER BY a',
      "INSERT INTO events SELECT number, 'f' FROM numbers(100)",
      'CREATE DATABASE private',
      'CREATE TABLE private.secrets (s String) ENGINE = MergeTree ORDER BY s',
      "INSERT INTO private.secrets VALUES ('hidden')",
      'CREATE VIEW through AS SELECT * FROM private.secrets',
      'CREATE VIEW processes AS SELECT query FROM system.processes',
      "CREATE DICTIONARY private.d (k UInt64, s String) PRIMARY KEY k SOURCE(CLICKHOUSE(QUERY 'SELECT 1 AS k, s FROM private.secrets')) LAYOUT(FLAT()) LIFETIME(0)",
    ]) {
      await owner.command({ query });
    }
  });
  afterAll(async () => {
    await owner.close();
    await analyst.close();
    await engine.kill();
    rmSync(home, { recursive: true, force: true });
  });

  test.each([
    'SELECT count() AS n FROM events',
    "SELECT file_name, 'file' AS word FROM events LIMIT 1",
    'WITH x AS (SELECT a FROM events) SELECT max(a) FROM x WHERE a IN (SELECT number FROM numbers(50))',
    'SELECT name FROM system.columns WHERE table = {t:String} -- comment',
    'SHOW TABLES',
    'DESCRIBE TABLE events',
    'SHOW CREATE TABLE events',
    'EXPLAIN SELECT a FROM events',
    'SELECT arrayMap(x -> x * 2, groupArray(a)) FROM events FORMAT JSONEachRow',
    'SELECT table_name FROM information_schema.tables',
    // More rows than any number that was once a limit: only time, memory and bytes are.
    'SELECT number % 10 FROM numbers(45000)',
  ])('may read: %s', async (query) => {
    const response = await analyst.exec({ query, query_params: { t: 'events' } });
    let text = '';
    for await (const chunk of response.stream) text += String(chunk);
    expect(text).not.toBe('');
    expect(text).not.toMatch(/secrets|private/);
  });

  const refusals: [string, string][] = [
    // Changes, plain and hidden.
    ["INSERT INTO events VALUES (1, 'x')", '164'],
    ['INSERT INTO events SELECT * FROM events', '164'],
    ['ALTER TABLE events DELETE WHERE 1', '164'],
    ['DELETE FROM events WHERE 1', '164'],
    ['TRUNCATE TABLE events', '164'],
    ['DROP TABLE events', '164'],
    ['CREATE TABLE x (a Int8) ENGINE = Memory', '164'],
    ['CREATE TEMPORARY TABLE x (a Int8)', '164'],
    ['CREATE VIEW v AS SELECT 1', '164'],
    ['CREATE FUNCTION f AS x -> x', '164'],
    ["CREATE USER u IDENTIFIED BY 'x'", '164'],
    ['GRANT administrator TO default', '164'],
    ['OPTIMIZE TABLE events', '164'],
    ['SYSTEM FLUSH LOGS', '164'],
    ['SYSTEM RELOAD DICTIONARIES', '164'],
    ['KILL QUERY WHERE 1', '164'],
    ["BACKUP DATABASE lanewatch TO File('/tmp/never')", '164'],
    ['RENAME TABLE events TO other', '164'],
    ['CHECK TABLE events', '497'],
    ['/* SELECT */ DROP TABLE events', '164'],
    ['-- SELECT\nDROP TABLE events', '164'],
    // Getting out of the frozen session.
    ['SET readonly = 0', '164'],
    ['SET ROLE administrator', '164'],
    ['SET ROLE ALL', '164'],
    ['USE private', '164'],
    ['EXECUTE AS default SELECT 1', '164'],
    ['SELECT 1 SETTINGS readonly = 0', '164'],
    ['SELECT * FROM (SELECT 1 SETTINGS readonly = 0)', '164'],
    ['SELECT * FROM (SELECT 1 /* x */ settings\n`max_execution_time`= 0) WHERE 1', '164'],
    ['SELECT 1 SETTINGS max_execution_time = 1000', '164'],
    ['SELECT 1 SETTINGS max_result_rows = 0', '164'],
    ['SELECT 1 SETTINGS max_threads = 1', '164'],
    // Several statements.
    ['SELECT 1; SELECT 2', '62'],
    ['SELECT 1; SET readonly = 0; DROP TABLE events', '62'],
    ['SELECT 1;;DROP TABLE events', '62'],
    ['SELECT 1 /* ; */ ; DROP TABLE events --', '62'],
    ["SELECT ';' ; DROP TABLE events", '62'],
    ['SELECT 1 PARALLEL WITH DROP TABLE events', '62'],
    // Files.
    ["SELECT 1 INTO OUTFILE '/tmp/never'", '181'],
    ["SELECT 1 INTO /* x */ OUTFILE '/tmp/never' FORMAT CSV", '181'],
    ["INSERT INTO events FROM INFILE '/etc/passwd' FORMAT CSV", '164'],
    ["SELECT * FROM file('/etc/passwd', LineAsString)", '497'],
    ["DESCRIBE file('/etc/passwd', LineAsString)", '497'],
    ['SELECT * FROM "default"."/etc/passwd"', '497'],
    ["SELECT file('/etc/passwd')", '497'],
    ["SELECT FILE('/etc/passwd')", '497'],
    ["SELECT `file`('/etc/passwd')", '497'],
    ["SELECT `\\x66ile`('/etc/passwd')", '497'],
    ['SELECT "fi\\x6ce"(\'/etc/passwd\')', '497'],
    ["SELECT /**/file/**/ ( '/etc/passwd' )", '497'],
    ["SELECT (SELECT file('/etc/passwd'))", '497'],
    ["SELECT 1 WHERE 'x' IN (SELECT file('/etc/passwd'))", '497'],
    ["WITH file('/etc/passwd') AS x SELECT x", '497'],
    ["WITH (x -> file(x)) AS f SELECT f('/etc/passwd')", '497'],
    ["SELECT '/etc/passwd' AS p, COLUMNS('p') APPLY file", '497'],
    ["SELECT * APPLY(file) FROM (SELECT '/etc/passwd' AS p)", '497'],
    ["SELECT arrayMap(x -> file(x), ['/etc/passwd'])", '497'],
    ["EXPLAIN SELECT file('/etc/passwd')", '497'],
    ["EXPLAIN QUERY TREE SELECT file('/etc/passwd')", '497'],
    // Table functions that reach out.
    ["SELECT * FROM url('http://127.0.0.1:1/', LineAsString)", '497'],
    ["SELECT * FROM remote('127.0.0.1:1', system.one)", '497'],
    ["SELECT * FROM remoteSecure('127.0.0.1:1', system.one)", '497'],
    ["SELECT * FROM s3('http://127.0.0.1:1/bucket/x', 'CSV', 'a Int8')", '497'],
    ["SELECT * FROM mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')", '497'],
    ["SELECT * FROM postgresql('127.0.0.1:1', 'a', 'b', 'c', 'd')", '497'],
    ["SELECT * FROM sqlite('/tmp/x', 'y')", '497'],
    ["SELECT * FROM executable('x', 'CSV', 'a Int8')", '497'],
    ["SELECT 1 IN (SELECT * FROM url('http://127.0.0.1:1/', CSV, 'a Int8'))", '497'],
    ["SELECT * FROM view(SELECT * FROM file('/etc/passwd', LineAsString))", '497'],
    ["SELECT * FROM events JOIN file('/etc/passwd', LineAsString) AS f ON 1 = 1", '497'],
    ["SELECT * FROM dictionary('private.d')", '497'],
    // Other databases.
    ['SELECT * FROM private.secrets', '497'],
    ['SELECT * FROM `private`.`secrets`', '497'],
    ['SELECT count() FROM private.secrets', '497'],
    ["SELECT 1 WHERE 'x' IN private.secrets", '497'],
    ['SELECT (SELECT any(s) FROM private.secrets)', '497'],
    ['WITH x AS (SELECT * FROM private.secrets) SELECT * FROM x', '497'],
    ['SELECT * FROM view(SELECT * FROM private.secrets)', '497'],
    ['SELECT * FROM through', '497'],
    ["SELECT dictGet('private.d', 's', toUInt64(1))", '497'],
    ['EXPLAIN SELECT * FROM private.secrets', '497'],
    ['DESCRIBE TABLE private.secrets', '497'],
    ['SHOW CREATE TABLE private.secrets', '497'],
    ['EXISTS TABLE private.secrets', '497'],
    ['SELECT * FROM {t:Identifier}.{u:Identifier}', '497'],
    // Other people, and the machine.
    ['SELECT * FROM system.users', '497'],
    ['SELECT * FROM system.grants', '497'],
    ['SELECT hostName()', '497'],
    ["SELECT getServerSetting('path')", '497'],
    ["SELECT hasColumnInTable('127.0.0.1:1', 'a', 'b', 'c')", '497'],
    ["SELECT reverseDNSQuery('127.0.0.1')", '497'],
    ['SELECT addressToSymbol(1)', '497'],
    ["SELECT logTrace('x')", '497'],
  ];
  test.each(refusals)('is refused: %s', async (query, code) => {
    const answer = analyst.exec({ query, query_params: { t: 'private', u: 'secrets' } }).then(async ({ stream }) => {
      let text = '';
      for await (const chunk of stream) text += String(chunk);
      return text;
    });
    expect(await codeOf(answer)).toBe(code);
  });

  test('nothing that was tried has changed anything', async () => {
    expect(await ask(owner, 'SELECT toString(count()) AS n FROM events')).toEqual([{ n: '100' }]);
    expect(await ask(owner, 'SELECT s FROM private.secrets')).toEqual([{ s: 'hidden' }]);
  });

  test('cannot read the files of the engine as another user of the machine, wherever they were put', () => {
    const files = readdirSync(home, { recursive: true, encoding: 'utf8' });
    const open = files.filter((file) => {
      const entry = lstatSync(join(home, file), { throwIfNoEntry: false });
      return entry !== undefined && !entry.isSymbolicLink() && (entry.mode & 0o077) !== 0;
    });
    expect(files.length).toBeGreaterThan(10);
    expect(open).toEqual([]);
  });

  test('sees nothing of other queries, of settings of the server or of other tables', async () => {
    for (const query of [
      'SELECT * FROM system.processes',
      'SELECT * FROM processes',
      'SHOW PROCESSLIST',
      'SELECT * FROM system.server_settings',
      'SELECT * FROM system.settings',
      'SELECT * FROM system.disks',
      'SELECT * FROM system.parts',
      'SELECT * FROM system.dictionaries',
      "SELECT * FROM system.tables WHERE database = 'private'",
      "SELECT * FROM system.columns WHERE database = 'private'",
      "SELECT * FROM information_schema.tables WHERE table_schema = 'private'",
      "SELECT * FROM merge('system', '^processes$')",
      "SELECT * FROM system.databases WHERE name = 'private'",
    ]) {
      const rows = await ask(analyst, query).catch((error: unknown) => (error as ClickHouseError).code);
      expect([query, rows === '497' || rows === '636' || rows === '60' ? [] : rows]).toEqual([query, []]);
    }
    expect((await ask(owner, 'SELECT query_id FROM system.processes')).length).toBe(1);
  });

  test.each([
    ['an answer without an end', 'SELECT number FROM system.numbers', '396'],
    ['bytes', 'SELECT repeat(toString(number), 1000) FROM numbers(900)', '396'],
    ['bytes of a constant', "SELECT repeat('x', 1000) FROM numbers(900)", '396'],
    ['time', 'SELECT count() FROM system.numbers WHERE sipHash64(number) = 1', '159'],
    ['memory', 'SELECT length(groupArray(toString(number))) FROM numbers(20000000)', '241'],
  ])('has a limit on %s', async (_what, query, code) => {
    expect(await codeOf(ask(analyst, query))).toBe(code);
  });

  test('a name of the server is told that is not the machine’s', async () => {
    expect(await ask(analyst, 'SELECT displayName() AS name')).toEqual([{ name: 'lanewatch-embedded' }]);
  });

  test('a limit that a client asks for is taken as far as it is below the analyst’s', async () => {
    const endless = 'SELECT count() FROM system.numbers WHERE sipHash64(number) = 1';
    for (const seconds of [60, 0])
      expect(await codeOf(ask(analyst, endless, { max_execution_time: seconds }))).toBe('159');
    const inForce = "SELECT getSetting('max_threads') AS threads, getSetting('max_block_size') AS rows";
    expect(await ask(analyst, inForce, { max_threads: 64, max_block_size: '1000000' })).toEqual([
      { threads: analystShare(availableParallelism()).threads, rows: 65_409 },
    ]);
    expect(await ask(analyst, inForce, { max_threads: 1, max_block_size: '1000' })).toEqual([
      { threads: 1, rows: 1_000 },
    ]);
  });

  test('settings of a request are refused unless they are harmless or a limit', async () => {
    expect(await codeOf(ask(analyst, 'SELECT 1', { readonly: '0' }))).toBe('164');
    expect(await codeOf(ask(analyst, 'SELECT 1', { allow_ddl: 1 }))).toBe('164');
    expect(await codeOf(ask(analyst, 'SELECT number FROM numbers(11)', { max_result_rows: '10' }))).toBe('396');
    expect(await ask(analyst, 'SELECT 1::UInt64 AS x', { output_format_json_quote_64bit_integers: 1 })).toEqual([
      { x: '1' },
    ]);
    const file = join(home, 'written-by-the-analyst');
    const schema = analyst.exec({
      query: 'SELECT 1 AS x FORMAT Protobuf',
      clickhouse_settings: { output_format_schema: file },
    });
    expect(await codeOf(schema)).toBe('164');
    expect(existsSync(file)).toBe(false);
    const elsewhere = connectTo(engine, 'analyst', { database: 'private' });
    expect(await codeOf(ask(elsewhere, 'SELECT * FROM secrets'))).toMatch(/^(497|81)$/);
    await elsewhere.close();
    const role = analyst.query({ query: 'SELECT 1', role: 'administrator' });
    expect(await codeOf(role)).toBe('497');
  });
});
