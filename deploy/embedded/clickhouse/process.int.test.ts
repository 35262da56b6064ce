import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

import { describe, expect, test } from 'vitest';

import { startEmbeddedClickHouse } from './spawn.ts';
import { ask, askAndNeverRead, codeOf, connectTo, LONG_QUERY, until, useEngines } from './testing.ts';

/** Sends a request target as it stands, which clients repair first, and returns the status line. */
async function statusOfTarget(url: string, target: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.end(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  return (await text(socket)).split('\r\n', 1)[0]!;
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

const engines = useEngines();
const { start } = engines;

describe('the process', () => {
  test('a second process on the same directory is refused in one sentence, and the first goes on', async () => {
    const first = await start();
    const second = await startEmbeddedClickHouse({ path: engines.directory }).catch(
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
    const env = { CLICKHOUSE_PATH: engines.directory, CLICKHOUSE_PORT: port };
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
      env: { ...process.env, CLICKHOUSE_PATH: engines.directory, CLICKHOUSE_PORT: '0' },
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
