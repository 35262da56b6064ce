import { randomUUID } from 'node:crypto';
import { rmSync, mkdtempSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';

import { ClickHouseError, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { ClickHouseClient } from '@clickhouse/client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { startEmbeddedClickHouse } from './spawn.ts';

type Target = {
  url: string;
  user: string;
  password: string;
  /** What a dictionary inside the engine signs in with; the embedded engine checks passwords at its door only. */
  innerPassword: string;
  stop(): Promise<void>;
};

async function embedded(): Promise<Target> {
  const path = mkdtempSync(join(tmpdir(), 'lanewatch-contract-'));
  const process = await startEmbeddedClickHouse({ path });
  return {
    url: process.url,
    user: process.user,
    password: process.password,
    innerPassword: '',
    async stop() {
      await process.stop();
      rmSync(path, { recursive: true, force: true });
    },
  };
}

const targets: [string, () => Promise<Target>][] = [['the embedded engine', embedded]];
const serverUrl = process.env['CLICKHOUSE_URL'];
if (serverUrl !== undefined) {
  const user = process.env['CLICKHOUSE_USER'] ?? 'default';
  const password = process.env['CLICKHOUSE_PASSWORD'] ?? '';
  const server: Target = { url: serverUrl, user, password, innerPassword: password, stop: () => Promise.resolve() };
  targets.push(['a ClickHouse server', () => Promise.resolve(server)]);
}

/** Asks until the answer is the wanted one; throws with the last answer when it does not come in time. */
async function until<T>(ask: () => Promise<T>, wanted: (answer: T) => boolean, timeoutMs = 20_000): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (wanted(answer)) return answer;
    if (Date.now() > deadline) throw new Error(`not in time; the last answer was ${JSON.stringify(answer)}`);
    await delay(20);
  }
}

async function failure(promise: Promise<unknown>): Promise<ClickHouseError> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ClickHouseError)) throw new Error(`expected a ClickHouseError, got ${String(error)}`);
  return error;
}

/** Keeps one core busy for minutes, and can be stopped at any block. */
const LONG_QUERY = 'SELECT max(sipHash64(number)) FROM numbers(100000000000) SETTINGS max_threads = 1';

describe.each(targets)('ClickHouse HTTP interface of %s', (_name, start) => {
  let target: Target;
  let client: ClickHouseClient;
  let admin: ClickHouseClient;
  let database: string;

  const open = (options: Parameters<typeof createClient>[0] = {}): ClickHouseClient =>
    createClient({
      url: target.url,
      username: target.user,
      password: target.password,
      database,
      log: { level: ClickHouseLogLevel.OFF },
      max_open_connections: 30,
      ...options,
    });
  const rows = async <T>(query: string, options: object = {}): Promise<T[]> =>
    await (await client.query({ query, format: 'JSONEachRow', ...options })).json<T>();
  const count = async (table: string): Promise<number> =>
    Number((await rows<{ n: string }>(`SELECT count() AS n FROM ${table}`))[0]!.n);
  const post = async (search: Record<string, string>, body: string | Buffer, headers: Record<string, string> = {}) => {
    const url = new URL(target.url);
    url.search = new URLSearchParams({ database, ...search }).toString();
    const data = typeof body === 'string' ? body : new Uint8Array(body);
    return await fetch(url, {
      method: 'POST',
      body: data,
      headers: { 'X-ClickHouse-User': target.user, 'X-ClickHouse-Key': target.password, ...headers },
    });
  };

  beforeAll(async () => {
    target = await start();
    database = 'default';
    admin = open();
  });
  afterAll(async () => {
    await admin.close();
    await target.stop();
  });
  beforeEach(async () => {
    database = `contract_${randomUUID().replaceAll('-', '')}`;
    await admin.command({ query: `CREATE DATABASE ${database}` });
    client = open();
  });
  afterEach(async () => {
    await client.close();
    await admin.command({ query: `DROP DATABASE ${database} SYNC` });
  });

  describe('reading', () => {
    test('ping answers, with and without a query', async () => {
      expect(await client.ping()).toEqual({ success: true });
      expect(await client.ping({ select: true })).toEqual({ success: true });
    });

    test('every usual format arrives whole', async () => {
      const query = "SELECT number AS n, concat('ü', toString(number)) AS s FROM numbers(3) ORDER BY n";
      const set = await client.query({ query, format: 'JSON' });
      const json = await set.json();
      expect(json.rows).toBe(3);
      expect(json.meta).toEqual([
        { name: 'n', type: 'UInt64' },
        { name: 's', type: 'String' },
      ]);
      expect(json.data.at(-1)).toMatchObject({ s: 'ü2' });
      expect(await (await client.query({ query, format: 'CSVWithNames' })).text()).toBe(
        '"n","s"\n0,"ü0"\n1,"ü1"\n2,"ü2"\n',
      );
      expect(await (await client.query({ query, format: 'TabSeparated' })).text()).toBe('0\tü0\n1\tü1\n2\tü2\n');
      expect(await (await client.query({ query, format: 'JSONCompactEachRow' })).json()).toHaveLength(3);
    });

    test('a document format spans blocks: one header, totals and one end', async () => {
      const query =
        'SELECT number % 3 AS k, count() AS c FROM numbers(300000) GROUP BY k WITH TOTALS ORDER BY k SETTINGS max_block_size = 1000';
      const totals = await (await client.query({ query, format: 'JSON' })).json<{ k: number; c: string }>();
      expect(totals.data).toHaveLength(3);
      expect(totals.totals).toMatchObject({ k: 0 });
      const many = await (
        await client.query({ query: 'SELECT number FROM numbers(200000)', format: 'JSONCompact' })
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
      await client.command({ query: 'CREATE TABLE named (a UInt8) ENGINE = Memory' });
      expect(await rows('SELECT count() AS n FROM {t:Identifier}', { query_params: { t: 'named' } })).toHaveLength(1);
      expect((await failure(rows('SELECT {missing:UInt8}'))).code).toBe('456');
    });

    test('settings, parameters and the database of a request never reach the next one', async () => {
      const ask = "SELECT getSetting('max_block_size') AS size, currentDatabase() AS database";
      const changed = await rows(ask, { clickhouse_settings: { max_block_size: '4321' } });
      expect(changed).toEqual([{ size: expect.anything() as unknown, database }]);
      expect(String((changed[0] as { size: unknown }).size)).toBe('4321');
      await post({}, 'SET max_block_size = 1234');
      await post({}, 'USE system');
      for (const row of await Promise.all(
        Array.from({ length: 8 }, () => rows<{ size: unknown; database: string }>(ask)),
      )) {
        expect(String(row[0]!.size)).not.toMatch(/^(4321|1234)$/);
        expect(row[0]!.database).toBe(database);
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
      const set = await client.query({
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
        const url = new URL(target.url);
        url.search = new URLSearchParams({ enable_http_compression: '1', query: 'SELECT 42' }).toString();
        const headers = {
          'Accept-Encoding': encoding,
          'X-ClickHouse-User': target.user,
          'X-ClickHouse-Key': target.password,
        };
        const raw = await rawRequest(url, headers);
        expect(raw.headers['content-encoding']).toBe(encoding);
        expect(unpack(raw.body).toString()).toBe('42\n');
      }
    });
  });

  describe('errors', () => {
    test.each([
      ['SELECT * FROM nowhere', 404, '60', 'UNKNOWN_TABLE'],
      ['SELECT nothing FROM system.one', 404, '47', 'UNKNOWN_IDENTIFIER'],
      ['SELECT no_such_function(1)', 404, '46', 'UNKNOWN_FUNCTION'],
      ['SELEC 1', 400, '62', 'SYNTAX_ERROR'],
      ['', 400, '62', 'SYNTAX_ERROR'],
      ['SELECT 1; SELECT 2', 400, '62', 'SYNTAX_ERROR'],
      ['SELECT 1; DROP TABLE nowhere', 400, '62', 'SYNTAX_ERROR'],
      ['SELECT throwIf(1)', 500, '395', 'FUNCTION_THROW_IF_VALUE_IS_NON_ZERO'],
      ["SELECT 1 INTO OUTFILE '/tmp/never.tsv'", 500, '181', 'INTO_OUTFILE_NOT_ALLOWED'],
      ['SELECT 1 SETTINGS no_such_setting = 1', 404, '115', 'UNKNOWN_SETTING'],
    ])('%s is answered with its status, code and text', async (query, status, code, name) => {
      const response = await post({}, query);
      const text = await response.text();
      expect([response.status, response.headers.get('x-clickhouse-exception-code')]).toEqual([status, code]);
      expect(text).toMatch(new RegExp(`^Code: ${code}\\. DB::Exception: .*\\(${name}\\) \\(version \\S+`, 's'));
    });

    test('the client sees code and type', async () => {
      const error = await failure(rows('SELECT * FROM nowhere'));
      expect([error.code, error.type]).toEqual(['60', 'UNKNOWN_TABLE']);
    });

    test('an unknown setting and an unknown database are refused', async () => {
      const settings = { no_such_setting: '1' } as object;
      expect((await failure(rows('SELECT 1', { clickhouse_settings: settings }))).code).toBe('115');
      const elsewhere = open({ database: `${database}_missing` });
      const error = await failure(elsewhere.query({ query: 'SELECT 1', format: 'JSONEachRow' }));
      expect(error.code).toBe('81');
      await elsewhere.close();
    });

    test('an unknown format is refused, however it is asked for', async () => {
      for (const [search, query] of [
        [{}, 'SELECT 1 FORMAT NoSuchFormat'],
        [{ default_format: 'NoSuchFormat' }, 'SELECT 1'],
        [{ default_format: 'CSV\r\nX: y' }, 'SELECT 1'],
      ] as const) {
        const response = await post(search, query);
        expect([response.status, response.headers.get('x-clickhouse-exception-code')]).toEqual([404, '73']);
      }
    });

    test('an error after a small part of the answer still gets its status', async () => {
      const error = await failure(
        rows('SELECT throwIf(number = 30000) FROM numbers(100000)', {
          clickhouse_settings: { max_block_size: '1000' },
        }),
      );
      expect(error.code).toBe('395');
    });

    test('an error in the middle of a long answer cannot be taken for its end', async () => {
      const query = 'SELECT throwIf(number = 2500000) AS x, number FROM numbers(3000000)';
      const set = await client.query({ query, format: 'JSONEachRow', clickhouse_settings: { max_threads: 1 } });
      const consume = async (): Promise<number> => {
        let seen = 0;
        for await (const part of set.stream()) seen += part.length;
        return seen;
      };
      await expect(consume()).rejects.toThrow(/throwIf|aborted|terminated/);
      const text = await client.query({ query, format: 'TabSeparated', clickhouse_settings: { max_threads: 1 } });
      await expect(text.text()).rejects.toThrow();
    });

    test('a wrong password and an unknown user are told apart from nothing', async () => {
      for (const credentials of [
        { username: target.user, password: 'wrong' },
        { username: 'nobody', password: 'wrong' },
      ]) {
        const stranger = open(credentials);
        const error = await failure(stranger.query({ query: 'SELECT 1' }));
        expect([error.code, error.type]).toEqual(['516', 'AUTHENTICATION_FAILED']);
        await stranger.close();
      }
      const response = await fetch(`${target.url}/?query=SELECT%201`, {
        headers: { Authorization: 'Basic bm9ib2R5Ong=' },
      });
      expect(response.status).toBe(403);
    });

    test('credentials are taken from Basic, from the X-ClickHouse headers and from the URL', async () => {
      const basic = Buffer.from(`${target.user}:${target.password}`).toString('base64');
      const query = 'query=SELECT%201';
      const login = `user=${encodeURIComponent(target.user)}&password=${encodeURIComponent(target.password)}`;
      const asked = [
        await fetch(`${target.url}/?${query}`, { headers: { Authorization: `Basic ${basic}` } }),
        await fetch(`${target.url}/?${query}&${login}`),
        await post({}, 'SELECT 1'),
      ];
      for (const response of asked) expect([response.status, await response.text()]).toEqual([200, '1\n']);
    });

    test('GET reads but never writes', async () => {
      const headers = { 'X-ClickHouse-User': target.user, 'X-ClickHouse-Key': target.password };
      const get = (query: string): Promise<Response> =>
        fetch(`${target.url}/?${new URLSearchParams({ database, query }).toString()}`, { headers });
      expect(await (await get('SELECT 7')).text()).toBe('7\n');
      const refused = await get('CREATE TABLE never (a UInt8) ENGINE = Memory');
      expect(refused.headers.get('x-clickhouse-exception-code')).toBe('164');
      expect(await (await get('EXISTS TABLE never')).text()).toBe('0\n');
    });
  });

  describe('writing', () => {
    beforeEach(async () => {
      await client.command({
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
            `SELECT count() AS n FROM system.parts WHERE database = '${database}' AND table = 't' AND active`,
          )
        )[0]!.n,
      );
    const native = async (query: string): Promise<Buffer> =>
      Buffer.from(await (await post({}, `${query} FORMAT Native`)).arrayBuffer());
    const NATIVE_ROWS = `SELECT toLowCardinality(toString(number % 50)) AS s, number AS a, toDateTime64('2026-01-01 00:00:00', 3, 'UTC') AS d,
      toDecimal64(number / 8, 9) AS amount FROM numbers(20000)`;
    const insertNative = async (body: Buffer, settings: Record<string, string> = {}): Promise<unknown> => {
      const { stream, summary } = await client.exec({
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
      await client.insert({ table: 't', format: 'JSONEachRow', values: [{ a: 1, s: 'ü\n"', amount: '0.000000001' }] });
      await client.insert({ table: 't', format: 'JSONCompactEachRow', columns: ['s', 'a'], values: [['x', 2]] });
      const stream = Readable.from([
        { a: 3, s: 'z' },
        { a: 4, s: 'z' },
      ]);
      const result = await client.insert({ table: 't', format: 'JSONEachRow', values: stream });
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
      await client.command({
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
        await client.insert({ table: 't', format: 'JSONEachRow', values, clickhouse_settings: { async_insert: 0 } });
      }
      expect(await count('t')).toBe(40_001);
    });

    test('one row that breaks a constraint keeps its whole batch out', async () => {
      const values = Array.from({ length: 2000 }, (_, index) => ({ a: index === 1999 ? 1_000_000 : index, s: 'x' }));
      const error = await failure(client.insert({ table: 't', format: 'JSONEachRow', values }));
      expect([error.code, error.type]).toEqual(['469', 'VIOLATED_CONSTRAINT']);
      expect(await count('t')).toBe(0);
    });

    test('a body that does not parse is refused whole, and the message does not name server files', async () => {
      const error = await failure(
        client.exec({
          query: 'INSERT INTO t FORMAT JSONEachRow',
          values: Readable.from(['{"a":1}\n{"a":'], { objectMode: false }),
        }),
      );
      expect(error.message).not.toMatch(/\/dev\/shm|\/tmp\//);
      expect(['117', '32', '27', '26', '25']).toContain(error.code);
      expect(await count('t')).toBe(0);
    });

    test('a connection that breaks off inside the body stores nothing', async () => {
      const { hostname, port } = new URL(target.url);
      const search = new URLSearchParams({
        database,
        query: 'INSERT INTO t FORMAT JSONEachRow',
        user: target.user,
        password: target.password,
        query_id: `cut_${database}`,
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
      await client.insert({ table: 't', format: 'JSONEachRow', values: [{ a: 2, s: 'whole' }] });
      expect(await rows('SELECT s FROM t')).toEqual([{ s: 'whole' }]);
    });

    test('an empty batch is no error', async () => {
      expect((await post({ query: 'INSERT INTO t FORMAT JSONEachRow' }, '')).status).toBe(200);
      expect(await count('t')).toBe(0);
    });

    test('INSERT … SELECT counts what it wrote', async () => {
      const { summary } = await client.command({
        query: "INSERT INTO t (a, s) SELECT number, 'n' FROM numbers(10)",
      });
      expect(summary?.written_rows).toBe('10');
      expect(await count('t')).toBe(10);
    });

    test('a dictionary over the last claim fences an old writer', async () => {
      await client.command({
        query: `CREATE TABLE claims (partition UInt64, claimant String, at DateTime64(6)) ENGINE = ReplacingMergeTree(at) ORDER BY partition`,
      });
      await client.command({
        query: `CREATE DICTIONARY claims_by_partition (partition UInt64, claimant String) PRIMARY KEY partition
                SOURCE(CLICKHOUSE(QUERY 'SELECT partition, argMax(claimant, at) AS claimant FROM ${database}.claims GROUP BY partition'
                  USER '${target.user}' PASSWORD '${target.innerPassword}'))
                LAYOUT(FLAT()) LIFETIME(0)`,
      });
      await client.command({
        query: `CREATE TABLE fenced (p UInt64, c String,
                  CONSTRAINT one_writer CHECK c = dictGet('${database}.claims_by_partition', 'claimant', p)) ENGINE = MergeTree ORDER BY p`,
      });
      const claim = async (claimant: string): Promise<void> => {
        await client.command({
          query: 'INSERT INTO claims SELECT 1, {c:String}, now64(6)',
          query_params: { c: claimant },
        });
        await client.command({ query: `SYSTEM RELOAD DICTIONARY ${database}.claims_by_partition` });
      };
      const write = (c: string): Promise<unknown> =>
        client.insert({ table: 'fenced', format: 'JSONEachRow', values: [{ p: 1, c }] });
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

  describe('running side by side', () => {
    /** A comment in the text, to find the query by. */
    const running = async (label: string): Promise<number> =>
      (
        await rows(
          `SELECT query_id FROM system.processes WHERE query LIKE '%label ${label}%' AND query NOT LIKE '%system.processes%'`,
        )
      ).length;

    test('a short query is answered while five long ones run', async () => {
      const label = randomUUID();
      const stop = new AbortController();
      const ended: string[] = [];
      const long = Array.from({ length: 5 }, (_, index) =>
        client
          .query({
            query: `/* label ${label} ${String(index)} */ ${LONG_QUERY}`,
            format: 'JSONEachRow',
            abort_signal: stop.signal,
          })
          .then(
            () => ended.push(`long ${String(index)}`),
            () => ended.push(`long ${String(index)} stopped`),
          ),
      );
      await until(
        () => running(label),
        (n) => n === 5,
      );
      expect(await rows('SELECT 1 AS x')).toEqual([{ x: 1 }]);
      ended.push('short');
      expect(await running(label)).toBe(5);
      stop.abort();
      await Promise.all(long);
      expect(ended[0]).toBe('short');
      expect(ended).toHaveLength(6);
    });

    test('a query whose client went away is stopped', async () => {
      const label = randomUUID();
      const stop = new AbortController();
      const settings = { cancel_http_readonly_queries_on_client_close: 1 } as const;
      const asked = client.query({
        query: `/* label ${label} */ ${LONG_QUERY}`,
        format: 'JSONEachRow',
        abort_signal: stop.signal,
        clickhouse_settings: settings,
      });
      const refused = expect(asked).rejects.toThrow();
      await until(
        () => running(label),
        (n) => n === 1,
      );
      stop.abort();
      await refused;
      await until(
        () => running(label),
        (n) => n === 0,
      );
    });

    test('a reader that stops in the middle of a large answer frees the query', async () => {
      const label = randomUUID();
      const settings = { cancel_http_readonly_queries_on_client_close: 1 } as const;
      const set = await client.query({
        query: `/* label ${label} */ SELECT number FROM system.numbers`,
        format: 'JSONCompactEachRow',
        clickhouse_settings: settings,
      });
      for await (const part of set.stream()) {
        expect(part.length).toBeGreaterThan(0);
        break;
      }
      set.close();
      await until(
        () => running(label),
        (n) => n === 0,
      );
    });

    test('two running queries cannot have the same id', async () => {
      const label = randomUUID();
      const stop = new AbortController();
      const query_id = `twice-${label}`;
      const first = client
        .query({ query: `/* label ${label} */ ${LONG_QUERY}`, query_id, abort_signal: stop.signal })
        .catch((error: unknown) => error);
      await until(
        () => running(label),
        (n) => n === 1,
      );
      expect((await failure(client.query({ query: 'SELECT 1', query_id }))).code).toBe('216');
      stop.abort();
      await first;
    });
  });

  test('parameters that are there and empty are none', async () => {
    const none = { database: '', default_format: '', query_id: '' };
    const response = await post(none, 'SELECT currentDatabase()');
    expect([response.status, response.headers.get('x-clickhouse-format')]).toEqual([200, 'TabSeparated']);
    expect(await response.text()).not.toBe('\n');
    expect(response.headers.get('x-clickhouse-query-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('every answer names the query, the server and the format', async () => {
    const response = await post({ query_id: `named-${database}`, default_format: 'JSONCompact' }, 'SELECT 1');
    expect(response.headers.get('x-clickhouse-query-id')).toBe(`named-${database}`);
    expect(response.headers.get('x-clickhouse-format')).toBe('JSONCompact');
    expect(response.headers.get('x-clickhouse-server-display-name')).toBeTruthy();
    expect(response.headers.get('x-clickhouse-timezone')).toBeTruthy();
    expect(response.headers.get('content-type')).toBe('application/json; charset=UTF-8');
    expect(JSON.parse(response.headers.get('x-clickhouse-summary') ?? '{}')).toMatchObject({
      read_rows: expect.stringMatching(/^\d+$/) as unknown,
      written_rows: '0',
      elapsed_ns: expect.stringMatching(/^\d+$/) as unknown,
    });
    expect(await (await post({}, 'SELECT 1', { 'X-ClickHouse-Format': 'CSV' })).text()).toBe('1\n');
  });
});

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
