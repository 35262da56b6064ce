import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

import { describe, expect, test } from 'vitest';

import { askAndNeverRead, ask, codeOf, connectTo, LONG_QUERY, until, useEngines } from './testing.ts';

const { start } = useEngines();

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

  test('sessions, bodies in block compression and external tables are refused by name', async () => {
    const engine = await start();
    const headers = { 'X-ClickHouse-User': 'default', 'X-ClickHouse-Key': engine.password };
    for (const search of ['session_id=x', 'decompress=1']) {
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
