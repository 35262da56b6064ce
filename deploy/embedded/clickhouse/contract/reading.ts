import { gunzipSync, zstdDecompressSync } from 'node:zlib';

import { describe, expect, test } from 'vitest';

import { failure } from './contract.ts';
import type { Contract } from './contract.ts';
import { readBlocks } from './read-blocks.ts';

/** What a SELECT answers. */
export function reading(contract: Contract): void {
  const { open, rows, post } = contract;
  describe('reading', () => {
    test('ping answers, with and without a query', async () => {
      expect(await contract.client.ping()).toEqual({ success: true });
      expect(await contract.client.ping({ select: true })).toEqual({ success: true });
    });

    test('every usual format arrives whole', async () => {
      const query = "SELECT number AS n, concat('ü', toString(number)) AS s FROM numbers(3) ORDER BY n";
      const set = await contract.client.query({ query, format: 'JSON' });
      const json = await set.json();
      expect(json.rows).toBe(3);
      expect(json.meta).toEqual([
        { name: 'n', type: 'UInt64' },
        { name: 's', type: 'String' },
      ]);
      expect(json.data.at(-1)).toMatchObject({ s: 'ü2' });
      expect(await (await contract.client.query({ query, format: 'CSVWithNames' })).text()).toBe(
        '"n","s"\n0,"ü0"\n1,"ü1"\n2,"ü2"\n',
      );
      expect(await (await contract.client.query({ query, format: 'TabSeparated' })).text()).toBe(
        '0\tü0\n1\tü1\n2\tü2\n',
      );
      expect(await (await contract.client.query({ query, format: 'JSONCompactEachRow' })).json()).toHaveLength(3);
    });

    test('a document format spans blocks: one header, totals and one end', async () => {
      const query =
        'SELECT number % 3 AS k, count() AS c FROM numbers(300000) GROUP BY k WITH TOTALS ORDER BY k SETTINGS max_block_size = 1000';
      const totals = await (await contract.client.query({ query, format: 'JSON' })).json<{ k: number; c: string }>();
      expect(totals.data).toHaveLength(3);
      expect(totals.totals).toMatchObject({ k: 0 });
      const many = await (
        await contract.client.query({ query: 'SELECT number FROM numbers(200000)', format: 'JSONCompact' })
      ).json();
      expect(many.rows).toBe(200_000);
      expect(many.data).toHaveLength(200_000);
    });

    test('values keep their exactness: 64 bits, decimals, milliseconds, null, nesting', async () => {
      const [row] = await rows(
        `SELECT 18446744073709551615::UInt64 AS u, 0.123456789::Decimal(18, 9) AS d,
                toDateTime64('2026-11-21 05:06:07.089', 3, 'UTC') AS t, NULL AS nothing, [1, 2]::Array(UInt8) AS a,
                map('k', 'v') AS m, (1, 'x') AS p, unhex('00') AS z`,
        { clickhouse_settings: { output_format_json_quote_64bit_integers: 1, output_format_json_quote_decimals: 1 } },
      );
      expect(row).toEqual({
        u: '18446744073709551615',
        d: '0.123456789',
        t: '2026-11-21 05:06:07.089',
        nothing: null,
        a: [1, 2],
        m: { k: 'v' },
        p: [1, 'x'],
        z: '\0',
      });
    });

    test('the text may carry comments, its own FORMAT, SETTINGS, parentheses and a semicolon', async () => {
      for (const [text, answer] of [
        ['/* a */ SELECT 1 -- b', '1\n'],
        ['SELECT 1;', '1\n'],
        ['(SELECT 1) UNION ALL (SELECT 1)', '1\n1\n'],
        ['SELECT 1 AS format', '1\n'],
        ["SELECT 'FORMAT JSON'", 'FORMAT JSON\n'],
        ['SELECT $$ FORMAT CSV $$', ' FORMAT CSV \n'],
        ["SELECT 'x' FORMAT CSV", '"x"\n'],
        ["SELECT 'x' FORMAT CSV SETTINGS max_threads = 1", '"x"\n'],
        ["SELECT 'x' SETTINGS max_threads = 1 FORMAT CSV", '"x"\n'],
        ['WITH 1 AS one SELECT one', '1\n'],
        ['EXISTS TABLE system.one', '1\n'],
        ["SHOW TABLES FROM system LIKE 'one'", 'one\n'],
      ]) {
        const response = await post({}, text!);
        expect([text, response.status, await response.text()]).toEqual([text, 200, answer]);
      }
    });

    test('query parameters reach the query unchanged, whatever they contain', async () => {
      const text = 'it\'s \\ a \t tab,\n a line, "quotes", `ticks`, {x:String}, ünï©ode 🙂 and \\N';
      const query =
        'SELECT {s:String} AS s, {n:UInt64} AS n, {a:Array(String)} AS a, {d:Nullable(String)} AS d, {i:Int32} AS i, {t:String} AS t';
      const query_params = { s: text, n: '18446744073709551615', a: [text, ''], d: null, i: -7, t: "'; SELECT 1" };
      const quoted = { output_format_json_quote_64bit_integers: 1 } as const;
      const expected = { s: text, n: '18446744073709551615', a: [text, ''], d: null, i: -7, t: "'; SELECT 1" };
      expect(await rows(query, { query_params, clickhouse_settings: quoted })).toEqual([expected]);
      const many = { ...query_params, s: text.repeat(200) };
      expect(
        await rows(query, { query_params: many, clickhouse_settings: quoted, use_multipart_params: true }),
      ).toEqual([{ ...expected, s: text.repeat(200) }]);
    });

    test('a parameter can name a table, and a missing one is an error', async () => {
      await contract.client.command({ query: 'CREATE TABLE named (a UInt8) ENGINE = Memory' });
      expect(await rows('SELECT count() AS n FROM {t:Identifier}', { query_params: { t: 'named' } })).toHaveLength(1);
      expect((await failure(rows('SELECT {missing:UInt8}'))).code).toBe('456');
    });

    test('settings, parameters and the database of a request never reach the next one', async () => {
      const ask = "SELECT getSetting('max_block_size') AS size, currentDatabase() AS database";
      const changed = await rows(ask, { clickhouse_settings: { max_block_size: '4321' } });
      expect(changed).toEqual([{ size: expect.anything() as unknown, database: contract.database }]);
      expect(String((changed[0] as { size: unknown }).size)).toBe('4321');
      await post({}, 'SET max_block_size = 1234');
      await post({}, 'USE system');
      for (const row of await Promise.all(
        Array.from({ length: 8 }, () => rows<{ size: unknown; database: string }>(ask)),
      )) {
        expect(String(row[0]!.size)).not.toMatch(/^(4321|1234)$/);
        expect(row[0]!.database).toBe(contract.database);
      }
    });

    test('concurrent requests with the same parameter name each see their own value', async () => {
      const asked = Array.from({ length: 60 }, (_, index) => index);
      const answers = await Promise.all(
        asked.map(async (n) => (await rows<{ n: number }>('SELECT {n:UInt32} AS n', { query_params: { n } }))[0]!.n),
      );
      expect(answers).toEqual(asked);
    });

    test('a large result arrives in pieces and complete', async () => {
      const set = await contract.client.query({
        query: 'SELECT number AS n FROM numbers(1000000)',
        format: 'JSONCompactEachRow',
      });
      let seen = 0;
      let pieces = 0;
      for await (const part of set.stream<[string | number]>()) {
        pieces += 1;
        for (const row of part) {
          if (Number(row.json()[0]) !== seen) throw new Error(`row ${String(seen)} is ${row.text}`);
          seen += 1;
        }
      }
      expect(seen).toBe(1_000_000);
      expect(pieces).toBeGreaterThan(10);
    });

    test('answers are packed when the client asks for it', async () => {
      const packing = open({ compression: { response: true, request: true } });
      const set = await packing.query({ query: 'SELECT number FROM numbers(200000)', format: 'JSONCompactEachRow' });
      expect(await set.json()).toHaveLength(200_000);
      await packing.close();
      for (const [encoding, unpack] of [
        ['gzip', gunzipSync],
        ['zstd', zstdDecompressSync],
      ] as const) {
        const url = new URL(contract.target.url);
        url.search = new URLSearchParams({ enable_http_compression: '1', query: 'SELECT 42' }).toString();
        const headers = {
          'Accept-Encoding': encoding,
          'X-ClickHouse-User': contract.target.user,
          'X-ClickHouse-Key': contract.target.password,
        };
        const raw = await rawRequest(url, headers);
        expect(raw.headers['content-encoding']).toBe(encoding);
        expect(unpack(raw.body).toString()).toBe('42\n');
      }
    });

    test('answers are in ClickHouse’s own blocks when the client asks for those, as its Java driver does', async () => {
      const url = new URL(contract.target.url);
      const headers = { 'X-ClickHouse-User': contract.target.user, 'X-ClickHouse-Key': contract.target.password };
      for (const [query, answer] of [
        ['SELECT 42', '42\n'],
        ['SELECT 42 WHERE 0', ''],
        ['SELECT toString(number) FROM numbers(50000)', Array.from({ length: 50_000 }, (_, n) => `${n}\n`).join('')],
        ['EXISTS TABLE system.one', '1\n'],
      ] as const) {
        url.search = new URLSearchParams({ compress: '1', query }).toString();
        const raw = await rawRequest(url, headers);
        expect(raw.headers['content-encoding']).toBeUndefined();
        expect(readBlocks(raw.body).toString()).toBe(answer);
      }
    });
  });
}

/** fetch unpacks by itself and cannot be told not to, so this asks for a packed answer by hand. */
async function rawRequest(
  url: URL,
  headers: Record<string, string>,
): Promise<{ headers: Record<string, string | string[] | undefined>; body: Buffer }> {
  const { request } = await import('node:http');
  return await new Promise((resolve, reject) => {
    const asked = request(url, { headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        resolve({ headers: response.headers, body: Buffer.concat(chunks) });
      });
      response.on('error', reject);
    });
    asked.on('error', reject);
    asked.end();
  });
}
