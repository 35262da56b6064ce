import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { gzipSync, zstdCompressSync } from 'node:zlib';

import { beforeEach, describe, expect, test } from 'vitest';

import { until } from '../testing.ts';
import { failure } from './contract.ts';
import type { Contract } from './contract.ts';

/** What an INSERT stores. */
export function writing(contract: Contract): void {
  const { rows, count, post } = contract;
  describe('writing', () => {
    beforeEach(async () => {
      await contract.client.command({
        query: `CREATE TABLE t (a UInt64, s LowCardinality(String), d DateTime64(3, 'UTC') DEFAULT toDateTime64(0, 3, 'UTC'),
                  amount Decimal(18, 9), e String DEFAULT concat('e', s),
                  CONSTRAINT below CHECK a < 1000000,
                  PROJECTION by_s (SELECT s, count(), sum(amount), uniqState(a) GROUP BY s))
                ENGINE = MergeTree PARTITION BY toDate(d) ORDER BY a
                SETTINGS non_replicated_deduplication_window = 100`,
      });
    });
    const parts = async (): Promise<number> =>
      Number(
        (
          await rows<{ n: string }>(
            `SELECT count() AS n FROM system.parts WHERE database = '${contract.database}' AND table = 't' AND active`,
          )
        )[0]!.n,
      );
    const native = async (query: string): Promise<Buffer> =>
      Buffer.from(await (await post({}, `${query} FORMAT Native`)).arrayBuffer());
    const NATIVE_ROWS = `SELECT toLowCardinality(toString(number % 50)) AS s, number AS a, toDateTime64('2026-01-01 00:00:00', 3, 'UTC') AS d,
      toDecimal64(number / 8, 9) AS amount FROM numbers(20000)`;
    const insertNative = async (body: Buffer, settings: Record<string, string> = {}): Promise<unknown> => {
      const { stream, summary } = await contract.client.exec({
        query: 'INSERT INTO t FORMAT Native',
        values: Readable.from([body.subarray(0, 1000), body.subarray(1000)], { objectMode: false }),
        clickhouse_settings: settings,
      });
      for await (const _chunk of stream) {
        // An INSERT answers nothing.
      }
      return summary;
    };

    test('objects, columns in another order, defaults and a stream of rows are stored', async () => {
      await contract.client.insert({
        table: 't',
        format: 'JSONEachRow',
        values: [{ a: 1, s: 'ü\n"', amount: '0.000000001' }],
      });
      await contract.client.insert({
        table: 't',
        format: 'JSONCompactEachRow',
        columns: ['s', 'a'],
        values: [['x', 2]],
      });
      const stream = Readable.from([
        { a: 3, s: 'z' },
        { a: 4, s: 'z' },
      ]);
      const result = await contract.client.insert({ table: 't', format: 'JSONEachRow', values: stream });
      expect(result.summary?.written_rows).toBe('2');
      expect(
        await rows('SELECT a, s, amount, e FROM t ORDER BY a', {
          clickhouse_settings: { output_format_json_quote_64bit_integers: 0, output_format_json_quote_decimals: 1 },
        }),
      ).toEqual([
        { a: 1, s: 'ü\n"', amount: '0.000000001', e: 'eü\n"' },
        { a: 2, s: 'x', amount: '0', e: 'ex' },
        { a: 3, s: 'z', amount: '0', e: 'ez' },
        { a: 4, s: 'z', amount: '0', e: 'ez' },
      ]);
    });

    test('VALUES in the text may hold expressions, parameters, text that looks like SQL, and end in a semicolon', async () => {
      await contract.client.command({
        query: "INSERT INTO t (a, s) VALUES ({a:UInt64}, {s:String}), (1 + 1, '); FORMAT SELECT --');",
        query_params: { a: 1, s: "it's" },
      });
      expect(await rows('SELECT toString(a) AS a, s FROM t ORDER BY a')).toEqual([
        { a: '1', s: "it's" },
        { a: '2', s: '); FORMAT SELECT --' },
      ]);
    });

    test('statement and data may come together in one body, packed or not', async () => {
      // Each time other rows: the table drops a batch it has seen.
      const tsv = (n: number): string => `${String(n)}\tone\n${String(n + 1)}\ttwo\n`;
      const text = (n: number): string => `INSERT INTO t (a, s) FORMAT TabSeparated\n${tsv(n)}`;
      expect((await post({}, text(30_000))).status).toBe(200);
      expect((await post({}, gzipSync(text(30_002)), { 'Content-Encoding': 'gzip' })).status).toBe(200);
      const query = 'INSERT INTO t (a, s) FORMAT TabSeparated';
      expect((await post({ query }, zstdCompressSync(tsv(30_004)), { 'Content-Encoding': 'zstd' })).status).toBe(200);
      const frames = Buffer.concat([zstdCompressSync(tsv(30_006)), zstdCompressSync(tsv(30_008))]);
      expect((await post({ query }, frames, { 'Content-Encoding': 'zstd' })).status).toBe(200);
      const body = Buffer.concat([Buffer.from('INSERT INTO t FORMAT Native\n'), await native(NATIVE_ROWS)]);
      expect((await post({}, body)).status).toBe(200);
      expect(await count('t')).toBe(20_010);
    });

    test('a Native body makes one part, matches columns by name, fills defaults and feeds the projection', async () => {
      const summary = (await insertNative(await native(NATIVE_ROWS))) as { written_rows?: string } | undefined;
      expect(Number(summary?.written_rows)).toBeGreaterThanOrEqual(20_000);
      expect(await parts()).toBe(1);
      expect(
        await rows(
          "SELECT toString(uniqExact(a)) AS n, any(e) AS e, min(s = toString(a % 50)) AS same FROM t WHERE s = '7'",
        ),
      ).toEqual([{ n: '400', e: 'e7', same: 1 }]);
      const force = { force_optimize_projection: 1, optimize_use_projections: 1 } as object;
      expect(
        await rows("SELECT toString(count()) AS n FROM t WHERE s = '7' GROUP BY s", { clickhouse_settings: force }),
      ).toEqual([{ n: '400' }]);
    });

    test('a batch sent again with its token is stored once; another token stores it again', async () => {
      const body = await native(NATIVE_ROWS);
      const settings = { async_insert: '0', insert_deduplicate: '1' };
      for (const insert_deduplication_token of ['one', 'one', 'two', 'one', 'two']) {
        await insertNative(body, { ...settings, insert_deduplication_token });
      }
      expect(await count('t')).toBe(40_000);
      // The same rows without a token are told by their content.
      const values = [{ a: 5, s: 'again' }];
      for (let time = 0; time < 2; time += 1) {
        await contract.client.insert({
          table: 't',
          format: 'JSONEachRow',
          values,
          clickhouse_settings: { async_insert: 0 },
        });
      }
      expect(await count('t')).toBe(40_001);
    });

    test('one row that breaks a constraint keeps its whole batch out', async () => {
      const values = Array.from({ length: 2000 }, (_, index) => ({ a: index === 1999 ? 1_000_000 : index, s: 'x' }));
      const error = await failure(contract.client.insert({ table: 't', format: 'JSONEachRow', values }));
      expect([error.code, error.type]).toEqual(['469', 'VIOLATED_CONSTRAINT']);
      expect(await count('t')).toBe(0);
    });

    test('a body that does not parse is refused whole, and the message does not name server files', async () => {
      const error = await failure(
        contract.client.exec({
          query: 'INSERT INTO t FORMAT JSONEachRow',
          values: Readable.from(['{"a":1}\n{"a":'], { objectMode: false }),
        }),
      );
      expect(error.message).not.toMatch(/\/dev\/shm|\/tmp\//);
      expect(['117', '32', '27', '26', '25']).toContain(error.code);
      expect(await count('t')).toBe(0);
    });

    test('a connection that breaks off inside the body stores nothing', async () => {
      const { hostname, port } = new URL(contract.target.url);
      const search = new URLSearchParams({
        database: contract.database,
        query: 'INSERT INTO t FORMAT JSONEachRow',
        user: contract.target.user,
        password: contract.target.password,
        query_id: `cut_${contract.database}`,
      });
      await new Promise<void>((resolve, reject) => {
        const socket = connect(Number(port), hostname, () => {
          const head = `POST /?${search.toString()} HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n{"a":1,"s":"x"}\n`;
          socket.write(head, () => socket.destroySoon());
        });
        socket.on('close', () => {
          resolve();
        });
        socket.on('error', reject);
      });
      await until(
        () => rows(`SELECT query FROM system.processes WHERE query_kind = 'Insert' AND query LIKE '%JSONEachRow%'`),
        (running) => running.length === 0,
      );
      await contract.client.insert({ table: 't', format: 'JSONEachRow', values: [{ a: 2, s: 'whole' }] });
      expect(await rows('SELECT s FROM t')).toEqual([{ s: 'whole' }]);
    });

    test('an empty batch is no error', async () => {
      expect((await post({ query: 'INSERT INTO t FORMAT JSONEachRow' }, '')).status).toBe(200);
      expect(await count('t')).toBe(0);
    });

    test('INSERT … SELECT counts what it wrote', async () => {
      const { summary } = await contract.client.command({
        query: "INSERT INTO t (a, s) SELECT number, 'n' FROM numbers(10)",
      });
      expect(summary?.written_rows).toBe('10');
      expect(await count('t')).toBe(10);
    });

    test('a dictionary over the last claim fences an old writer', async () => {
      await contract.client.command({
        query: `CREATE TABLE claims (partition UInt64, claimant String, at DateTime64(6)) ENGINE = ReplacingMergeTree(at) ORDER BY partition`,
      });
      await contract.client.command({
        query: `CREATE DICTIONARY claims_by_partition (partition UInt64, claimant String) PRIMARY KEY partition
                SOURCE(CLICKHOUSE(QUERY 'SELECT partition, argMax(claimant, at) AS claimant FROM ${contract.database}.claims GROUP BY partition'
                  USER '${contract.target.user}' PASSWORD '${contract.target.innerPassword}'))
                LAYOUT(FLAT()) LIFETIME(0)`,
      });
      await contract.client.command({
        query: `CREATE TABLE fenced (p UInt64, c String,
                  CONSTRAINT one_writer CHECK c = dictGet('${contract.database}.claims_by_partition', 'claimant', p)) ENGINE = MergeTree ORDER BY p`,
      });
      const claim = async (claimant: string): Promise<void> => {
        await contract.client.command({
          query: 'INSERT INTO claims SELECT 1, {c:String}, now64(6)',
          query_params: { c: claimant },
        });
        await contract.client.command({ query: `SYSTEM RELOAD DICTIONARY ${contract.database}.claims_by_partition` });
      };
      const write = (c: string): Promise<unknown> =>
        contract.client.insert({ table: 'fenced', format: 'JSONEachRow', values: [{ p: 1, c }] });
      await claim('first');
      await write('first');
      await claim('second');
      expect((await failure(write('first'))).code).toBe('469');
      await write('second');
      expect(await count('fenced')).toBe(2);
    });

    test('a reader never sees part of a batch', async () => {
      const body = await native(NATIVE_ROWS);
      let done = false;
      const seen = new Set<number>();
      const reading = (async () => {
        while (!done) {
          const n = await count('t');
          if (n % 20_000 !== 0) throw new Error(`a reader saw ${String(n)} rows`);
          seen.add(n);
        }
      })();
      for (let batch = 0; batch < 15; batch += 1) {
        await insertNative(body, { insert_deduplication_token: `batch ${String(batch)}` });
      }
      done = true;
      await reading;
      expect(await count('t')).toBe(300_000);
      expect(seen.size).toBeGreaterThan(1);
    });
  });
}
