import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

import { ClickHouseError, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { ClickHouseClient, ClickHouseSettings } from '@clickhouse/client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { startEmbeddedClickHouse } from './spawn.ts';
import type { EmbeddedClickHouse, StartOptions } from './spawn.ts';

const LONG_QUERY = 'SELECT max(sipHash64(number)) FROM numbers(100000000000) SETTINGS max_threads = 1';

async function until<T>(ask: () => Promise<T> | T, wanted: (answer: T) => boolean, timeoutMs = 20_000): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (wanted(answer)) return answer;
    if (Date.now() > deadline) throw new Error(`not in time; the last answer was ${JSON.stringify(answer)}`);
    await delay(20);
  }
}

const connectTo = (
  engine: EmbeddedClickHouse,
  user: 'default' | 'analyst' = 'default',
  options: object = {},
): ClickHouseClient =>
  createClient({
    url: engine.url,
    username: user,
    password: user === 'default' ? engine.password : engine.analystPassword,
    log: { level: ClickHouseLogLevel.OFF },
    max_open_connections: 40,
    ...options,
  });

async function ask<T>(client: ClickHouseClient, query: string, settings: ClickHouseSettings = {}): Promise<T[]> {
  return await (await client.query({ query, format: 'JSONEachRow', clickhouse_settings: settings })).json<T>();
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return await promise.then(
    (answer) => `no error, but ${JSON.stringify(answer)}`,
    (error: unknown) => (error instanceof ClickHouseError ? error.code : String(error)),
  );
}

/** Sends a request target as it stands, which clients repair first, and returns the status line. */
async function statusOfTarget(url: string, target: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.end(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  return (await text(socket)).split('\r\n', 1)[0]!;
}

/** Sends a query and never reads the answer, but keeps the connection. */
function askAndNeverRead(engine: EmbeddedClickHouse, user: 'default' | 'analyst', query: string): Socket {
  const { hostname, port } = new URL(engine.url);
  const password = user === 'default' ? engine.password : engine.analystPassword;
  const headers = ['Host: x', `X-ClickHouse-User: ${user}`, `X-ClickHouse-Key: ${password}`];
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  socket.write(`GET /?query=${encodeURIComponent(query)} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`);
  return socket;
}

/** Runs main.ts by itself and collects what it says. */
async function runMain(
  args: string[],
  env: Record<string, string>,
): Promise<{ code: number | null; out: string; err: string }> {
  const main = fileURLToPath(new URL('./main.ts', import.meta.url));
  const child = spawn(process.execPath, [main, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, out, err };
}

let directory: string;
const started: EmbeddedClickHouse[] = [];
const start = async (options: Partial<StartOptions> = {}): Promise<EmbeddedClickHouse> => {
  const engine = await startEmbeddedClickHouse({ path: directory, ...options });
  started.push(engine);
  return engine;
};
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lanewatch-embedded-'));
});
afterEach(async () => {
  for (const engine of started.splice(0)) await engine.kill();
  rmSync(directory, { recursive: true, force: true });
});

describe('the process', () => {
  test('a second process on the same directory is refused in one sentence, and the first goes on', async () => {
    const first = await start();
    const second = await startEmbeddedClickHouse({ path: directory }).catch(
      (error: unknown) => (error as Error).message,
    );
    expect(second).toMatch(
      new RegExp(`The data directory \\S+ is in use by process ${String(first.pid)}: .*CLICKHOUSE_PATH`),
    );
    expect(String(second).trim().split('\n')).toHaveLength(1);
    const client = connectTo(first);
    expect(await ask(client, 'SELECT 1 AS x')).toEqual([{ x: 1 }]);
    await client.close();
  });

  test('a taken port, a bad configuration and --help are said plainly', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const port = String((taken.address() as AddressInfo).port);
    const env = { CLICKHOUSE_PATH: directory, CLICKHOUSE_PORT: port };
    const refused = await runMain([], env);
    expect([refused.code, refused.err.trim()]).toEqual([
      1,
      expect.stringMatching(/^Port \d+ on 127\.0\.0\.1 is taken: .*CLICKHOUSE_PORT\.$/),
    ]);
    await new Promise((resolve) => taken.close(resolve));
    expect(await runMain(['--check-config'], env)).toMatchObject({ code: 0, out: 'The configuration is valid.\n' });
    const bad = await runMain(['--check-config'], { CLICKHOUSE_PORT: '70000', CLICKHOUSE_DATABASE: '1' });
    expect([bad.code, bad.err]).toEqual([
      1,
      expect.stringMatching(/2 problem[\s\S]*CLICKHOUSE_PORT[\s\S]*CLICKHOUSE_DATABASE/),
    ]);
    expect((await runMain(['--help'], {})).out).toMatch(/CLICKHOUSE_ANALYST_PASSWORD/);
  });

  test('SIGTERM lets a running query finish and ends with 0; all data is there again', async () => {
    const engine = await start();
    const client = connectTo(engine);
    await client.command({ query: 'CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a' });
    await client.insert({ table: 't', format: 'JSONEachRow', values: [{ a: 7 }] });
    const slow = ask(
      client,
      'SELECT count() AS n, sum(sleepEachRow(0.1)) AS s FROM numbers(8) SETTINGS max_block_size = 1',
    );
    await until(
      () =>
        ask(
          client,
          "SELECT query_id FROM system.processes WHERE query LIKE '%sleepEachRow%' AND query NOT LIKE '%processes%'",
        ),
      (running) => running.length === 1,
    );
    const ended = engine.stop();
    expect(await slow).toHaveLength(1);
    expect(await ended).toBe(0);
    await client.close();

    const again = await start();
    const reader = connectTo(again);
    expect(await ask(reader, 'SELECT toString(a) AS a FROM t')).toEqual([{ a: '7' }]);
    await reader.close();
    expect(await again.stop()).toBe(0);
  });

  test('without a password a web page is refused and a program is not', async () => {
    const engine = await start({ password: '' });
    const ask = (headers: Record<string, string>): Promise<Response> =>
      fetch(engine.url, { method: 'POST', body: 'SELECT 1', headers });
    expect((await ask({})).status).toBe(200);
    expect((await ask({ Origin: 'https://example.org' })).status).toBe(403);
  });

  test('a request target that is no address is refused with 400 and ends nothing', async () => {
    const engine = await start();
    for (const target of ['//', 'http://[', '///:']) {
      expect(await statusOfTarget(engine.url, target)).toBe('HTTP/1.1 400 Bad Request');
    }
    expect(await ask(connectTo(engine), 'SELECT 1 AS x')).toEqual([{ x: 1 }]);
  });

  test('a change goes on when its client goes away, a read does not', async () => {
    const engine = await start();
    const client = connectTo(engine);
    await client.command({ query: 'CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a' });
    const leave = new AbortController();
    const slow = (query: string): Promise<unknown> =>
      client.command({ query, abort_signal: leave.signal }).catch(() => undefined);
    const asked = [
      slow('INSERT INTO t SELECT sleepEachRow(0.1) + number FROM numbers(10) SETTINGS max_block_size = 1'),
      slow('SELECT sleepEachRow(0.1), number FROM numbers(3000) SETTINGS max_block_size = 1'),
    ];
    const running = (): Promise<{ query_kind: string }[]> =>
      ask(
        client,
        "SELECT query_kind FROM system.processes WHERE query LIKE '%sleepEachRow%' AND query NOT LIKE '%processes%'",
      );
    await until(running, (list) => list.length === 2);
    leave.abort();
    await Promise.all(asked);
    await until(running, (list) => list.length === 0);
    expect(await ask(client, 'SELECT toString(count()) AS n FROM t')).toEqual([{ n: '10' }]);
    await client.close();
  });

  test('SIGTERM stops what does not finish in time, and still ends with 0', async () => {
    const engine = await start({ env: { CLICKHOUSE_SHUTDOWN_TIMEOUT_MS: '50' } });
    const client = connectTo(engine);
    const long = codeOf(ask(client, LONG_QUERY));
    // No limit ends it: the engine waits for somebody to read.
    const stalled = askAndNeverRead(engine, 'default', 'SELECT number FROM numbers(1000000000000)');
    await until(
      () =>
        ask(
          client,
          "SELECT query_id FROM system.processes WHERE query LIKE '%numbers(%' AND query NOT LIKE '%processes%'",
        ),
      (running) => running.length === 2,
    );
    await until(
      () => stalled.bytesRead,
      (bytes) => bytes > 0,
    );
    expect(await engine.stop()).toBe(0);
    expect(await long).toBe('394');
    stalled.destroy();
    await client.close();
  });

  test('it ends with its parent, and leaves no temporary files', async () => {
    const engine = await start();
    const spools = (pid: number): string[] =>
      [tmpdir(), '/dev/shm'].flatMap((parent) => {
        try {
          return readdirSync(parent).filter((name) =>
            new RegExp(`^lanewatch-clickhouse-\\w+-${String(pid)}$`).test(name),
          );
        } catch {
          return [];
        }
      });
    expect(spools(engine.pid)).toHaveLength(1);
    expect(await engine.stop()).toBe(0);
    expect(spools(engine.pid)).toEqual([]);
    const killed = await start();
    await killed.kill();
    expect(spools(killed.pid)).toHaveLength(1);
    await (await start()).stop();
    expect(spools(killed.pid)).toEqual([]);
    const main = fileURLToPath(new URL('./main.ts', import.meta.url));
    const child = spawn(process.execPath, [main, '--follow-stdin'], {
      env: { ...process.env, CLICKHOUSE_PATH: directory, CLICKHOUSE_PORT: '0' },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    child.stdin.end();
    expect(await new Promise((resolve) => child.once('close', resolve))).toBe(0);
  });

  test('after each of five kill -9 every acknowledged batch is there once and no other part of one', async () => {
    const batchRows = 2000;
    const acknowledged = new Set<number>();
    let next = 0;
    for (let round = 0; round < 5; round += 1) {
      const engine = await start();
      const client = connectTo(engine);
      await client.command({
        query: `CREATE TABLE IF NOT EXISTS ledger (batch UInt32, row UInt32, s LowCardinality(String), stored_at DateTime64(3),
                  PROJECTION by_s (SELECT s, count() GROUP BY s))
                ENGINE = MergeTree PARTITION BY toDate(stored_at) ORDER BY (batch, row) SETTINGS non_replicated_deduplication_window = 1000`,
      });
      // Random enough to differ from run to run, and bounded.
      const killAfter = 3 + (randomBytes(1)[0]! % 10);
      let done = 0;
      const writer = (async () => {
        for (;;) {
          const batch = next;
          next += 1;
          const values = Array.from({ length: batchRows }, (_, row) => [
            batch,
            row,
            `s${String(row % 7)}`,
            '2026-11-21 00:00:00.000',
          ]);
          await client.insert({
            table: 'ledger',
            format: 'JSONCompactEachRow',
            values,
            clickhouse_settings: { insert_deduplication_token: `batch-${String(batch)}` },
          });
          acknowledged.add(batch);
          done += 1;
        }
      })().catch(() => undefined);
      await until(
        () => done,
        (batches) => batches >= killAfter,
      );
      await engine.kill();
      await writer;
      await client.close();
    }
    const engine = await start();
    const client = connectTo(engine);
    const stored = await ask<{ batch: number; n: string; distinct: string }>(
      client,
      'SELECT batch, toString(count()) AS n, toString(uniqExact(row)) AS distinct FROM ledger GROUP BY batch ORDER BY batch',
    );
    for (const one of stored)
      expect(one).toEqual({ batch: one.batch, n: String(batchRows), distinct: String(batchRows) });
    const present = new Set(stored.map((one) => one.batch));
    expect([...acknowledged].filter((batch) => !present.has(batch))).toEqual([]);
    // At most the one batch per round whose answer was lost may be there besides.
    expect(present.size - acknowledged.size).toBeLessThanOrEqual(5);
    const rollUp = await ask<{ n: string }>(
      client,
      'SELECT toString(sum(n)) AS n FROM (SELECT s, count() AS n FROM ledger GROUP BY s)',
      { force_optimize_projection: 1 },
    );
    expect(rollUp).toEqual([{ n: String(present.size * batchRows) }]);
    await client.close();
  });
});

describe('limits', () => {
  test('more queries than may run and wait are refused with 202, and room comes back', async () => {
    const engine = await start({ env: { CLICKHOUSE_CONCURRENT_QUERIES: '2', CLICKHOUSE_QUEUED_QUERIES: '1' } });
    const client = connectTo(engine);
    const stop = new AbortController();
    const long = [1, 2, 3].map((index) =>
      client
        .query({ query: LONG_QUERY, query_id: `long-${String(index)}`, abort_signal: stop.signal })
        .catch(() => undefined),
    );
    // Two run and one waits as soon as a fourth is refused.
    const refused = await until(
      () => codeOf(client.query({ query: 'SELECT 1', abort_signal: AbortSignal.timeout(300) })),
      (code) => code === '202',
    );
    expect(refused).toBe('202');
    stop.abort();
    await Promise.all(long);
    await until(
      () => codeOf(ask(client, 'SELECT 1 AS x')),
      (code) => code.startsWith('no error'),
    );
    await client.close();
  });

  test('a client that stops reading in the middle of an answer loses its connection, and its query its place', async () => {
    // Two places, of which the analyst gets one.
    const engine = await start({ env: { CLICKHOUSE_CONCURRENT_QUERIES: '2', CLICKHOUSE_SEND_TIMEOUT_MS: '500' } });
    const client = connectTo(engine, 'analyst');
    const stalled = askAndNeverRead(engine, 'analyst', "SELECT repeat('x', 600) FROM numbers(100000)");
    await until(
      () => stalled.bytesRead,
      (bytes) => bytes > 0,
    );
    const next = client.query({
      query: 'SELECT 1 AS x',
      format: 'JSONEachRow',
      abort_signal: AbortSignal.timeout(20_000),
    });
    expect(await (await next).json()).toEqual([{ x: 1 }]);
    stalled.destroy();
    await client.close();
  });

  test('a body over the limit is refused with 413, packed or not, and nothing of it is stored', async () => {
    const engine = await start({ env: { CLICKHOUSE_BODY_BYTES_MAX: '100000' } });
    const client = connectTo(engine);
    await client.command({ query: 'CREATE TABLE t (a String) ENGINE = MergeTree ORDER BY a' });
    const headers = { 'X-ClickHouse-User': 'default', 'X-ClickHouse-Key': engine.password };
    const url = `${engine.url}/?query=${encodeURIComponent('INSERT INTO t FORMAT TSV')}`;
    const large = Buffer.from('x\n'.repeat(60_000));
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, 'x'));
    expect(bomb.length).toBeLessThan(100_000);
    for (const [body, encoding] of [
      [large, 'identity'],
      [bomb, 'gzip'],
    ] as const) {
      const response = await fetch(url, {
        method: 'POST',
        body: new Uint8Array(body),
        headers: { ...headers, 'Content-Encoding': encoding },
      });
      expect([response.status, await response.text()]).toEqual([
        413,
        expect.stringMatching(/^Code: 307\. .*larger than 100000 bytes/),
      ]);
    }
    const broken = await fetch(url, {
      method: 'POST',
      body: 'not gzip',
      headers: { ...headers, 'Content-Encoding': 'gzip' },
    });
    expect(broken.status).toBe(400);
    const unknown = await fetch(url, { method: 'POST', body: 'x', headers: { ...headers, 'Content-Encoding': 'lz4' } });
    expect(unknown.status).toBe(501);
    expect(await ask(client, 'SELECT toString(count()) AS n FROM t')).toEqual([{ n: '0' }]);
    await client.close();
  });

  test('a result of 800 MB passes through without being held in memory', async () => {
    const engine = await start();
    const client = connectTo(engine);
    const residentBytes = (): number =>
      Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${String(engine.pid)}/status`, 'utf8'))![1]) * 1024;
    await ask(client, 'SELECT count() FROM numbers(1000000)');
    const before = residentBytes();
    const response = await fetch(
      `${engine.url}/?query=${encodeURIComponent('SELECT number FROM numbers(100000000) FORMAT RowBinary')}`,
      {
        headers: { 'X-ClickHouse-User': 'default', 'X-ClickHouse-Key': engine.password },
      },
    );
    let bytes = 0;
    let highest = 0;
    for await (const chunk of response.body!) {
      if (bytes % (64 * 1024 * 1024) < chunk.length) highest = Math.max(highest, residentBytes());
      bytes += chunk.length;
    }
    expect(bytes).toBe(800_000_000);
    expect(highest - before).toBeLessThan(300 * 1024 * 1024);
    await client.close();
  });

  test('256 MiB of the disk are left alone, because what fills the disk while it is written is lost unnoticed', async () => {
    const engine = await start();
    const client = connectTo(engine);
    expect(await ask(client, 'SELECT name, keep_free_space FROM system.disks')).toEqual([
      { name: 'default', keep_free_space: 256 * 1024 * 1024 },
    ]);
    await client.close();
  });

  test('sessions, block compression and external tables are refused by name', async () => {
    const engine = await start();
    const headers = { 'X-ClickHouse-User': 'default', 'X-ClickHouse-Key': engine.password };
    for (const search of ['session_id=x', 'compress=1', 'decompress=1']) {
      const response = await fetch(`${engine.url}/?${search}`, { method: 'POST', body: 'SELECT 1', headers });
      expect([search, response.status, (await response.text()).slice(0, 9)]).toEqual([search, 501, 'Code: 48.']);
    }
    const none = await fetch(`${engine.url}/?session_id=&role=`, { method: 'POST', body: 'SELECT 1', headers });
    expect([none.status, await none.text()]).toEqual([200, '1\n']);
    const input = await fetch(engine.url, {
      method: 'POST',
      body: "INSERT INTO t SELECT * FROM input('a Int8') FORMAT CSV\n1",
      headers,
    });
    expect(input.status).toBe(501);
    // To a user who may change nothing a session is nothing, and clickhouse-connect asks for one.
    const analyst = { 'X-ClickHouse-User': 'analyst', 'X-ClickHouse-Key': engine.analystPassword };
    const read = await fetch(`${engine.url}/?session_id=x`, { method: 'POST', body: 'SELECT 1', headers: analyst });
    expect([read.status, await read.text()]).toEqual([200, '1\n']);
  });
});

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
        CLICKHOUSE_ANALYST_RESULT_ROWS_MAX: '1000',
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
    ['SELECT displayName()', '497'],
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
    ['rows', 'SELECT number FROM system.numbers', '396'],
    ['bytes', 'SELECT repeat(toString(number), 1000) FROM numbers(900)', '396'],
    ['bytes of a constant', "SELECT repeat('x', 1000) FROM numbers(900)", '396'],
    ['time', 'SELECT count() FROM system.numbers WHERE sipHash64(number) = 1', '159'],
    ['memory', 'SELECT length(groupArray(toString(number))) FROM numbers(20000000)', '241'],
  ])('has a limit on %s', async (_what, query, code) => {
    expect(await codeOf(ask(analyst, query))).toBe(code);
  });

  test('settings of a request are refused unless they are harmless or lower a limit', async () => {
    expect(await codeOf(ask(analyst, 'SELECT 1', { readonly: '0' }))).toBe('164');
    expect(await codeOf(ask(analyst, 'SELECT 1', { max_execution_time: 100 }))).toBe('164');
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
