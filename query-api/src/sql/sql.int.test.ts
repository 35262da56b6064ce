import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fingerprintOf } from '@lanewatch/ingest/contract';
import { makeTempDir, removeDir } from '../../../deploy/testing/helpers.ts';
import { startEmbeddedClickHouse, type EmbeddedClickHouse } from '../../../deploy/embedded/clickhouse/spawn.ts';
import { SESSION_COOKIE } from '../../contract/index.ts';
import { startHarness, type Harness } from '../testing/harness.ts';
import { GALLERY } from './gallery.ts';
import { HOSTILE_STATEMENTS } from './hostile-statements.ts';

const KEY = { fingerprint: fingerprintOf('a key'), hint: 'sk-ant-...C001' };
const NOW = Date.now();

let home: string;
let engine: EmbeddedClickHouse;
let api: Harness;
beforeAll(async () => {
  home = await makeTempDir();
  engine = await startEmbeddedClickHouse({ path: home });
  api = await startHarness({
    engine: { url: engine.url, user: engine.user, password: engine.password },
    ledgerDatabase: engine.database,
    analyst: { user: 'analyst', password: engine.analystPassword },
  });
  await api.storeRows(
    ['ada@example.com', 'bob@example.com', ''].map((user, at) => ({
      ...KEY,
      lane: KEY.fingerprint,
      user,
      session: 's-1',
      model: 'claude-sonnet-4-5',
      cost_nano_usd: 1_234_567_890,
      tokens_output: 10 + at,
      seen_at: NOW - at * 60_000,
      time: NOW - at * 60_000,
    })),
  );
});
afterAll(async () => {
  await api.close();
  await engine.kill();
  await removeDir(home);
});

const run = (sql: string, more: object = {}) => api.post('/v1/sql', { sql, ...more });
const streamed = (sql: string, accept: string) =>
  api.app.inject({
    method: 'POST',
    url: '/v1/sql',
    headers: { accept, 'content-type': 'application/json' },
    cookies: { [SESSION_COOKIE]: api.cookie },
    payload: JSON.stringify({ sql }),
  });

describe('what analysts ask', () => {
  test('views answer with columns, exact numbers and what was read; a comment at the end is no harm', async () => {
    const { status, body } = await run(
      'SELECT person, sum(cost_usd) AS spent, sum(tokens) AS tokens FROM usage GROUP BY person ORDER BY person; -- by person',
    );
    expect(status).toBe(200);
    expect(body.columns).toEqual([
      { name: 'person', type: 'LowCardinality(String)' },
      { name: 'spent', type: 'Decimal(38, 9)' },
      { name: 'tokens', type: 'Int64' },
    ]);
    expect(body.rows).toEqual([
      ['', '1.23456789', '12'],
      ['ada@example.com', '1.23456789', '10'],
      ['bob@example.com', '1.23456789', '11'],
    ]);
    expect(body.statistics.rows_read).toBe(3);
  });

  test('lanes and sessions count what their names say, and the lane stands as the pages tell', async () => {
    const lane = await run('SELECT standing, calls, people, sessions, hint FROM lanes');
    expect(lane.body.rows).toEqual([['unknown', '3', '2', '1', KEY.hint]]);
    const session = await run('SELECT session, calls, person, models FROM sessions');
    expect(session.body.rows).toEqual([['s-1', '3', 'ada@example.com', ['claude-sonnet-4-5']]]);
  });

  test('parameters are values, never text', async () => {
    const { body } = await run(
      'SELECT count() FROM usage WHERE person = {who:String} AND tokens_output >= {least:UInt32}',
      {
        parameters: { who: "ada@example.com' OR 1=1 --", least: 0 },
      },
    );
    expect(body.rows).toEqual([['0']]);
  });

  test('more rows than asked for are left off, and it says so', async () => {
    const { body } = await run('SELECT number FROM numbers(100000)', { max_rows: 5 });
    expect([body.rows.length, body.truncated]).toEqual([5, true]);
  });

  test('all rows come as NDJSON, CSV and Parquet', async () => {
    const sql = 'SELECT number AS n FROM numbers(20000)';
    const ndjson = await streamed(sql, 'application/x-ndjson');
    expect(ndjson.body.trim().split('\n')).toHaveLength(20_000);
    const csv = await streamed(sql, 'text/csv');
    expect(csv.body.startsWith('"n"\n0\n1\n')).toBe(true);
    const parquet = await streamed(sql, 'application/vnd.apache.parquet');
    expect(parquet.rawPayload.subarray(0, 4).toString()).toBe('PAR1');
    expect(parquet.rawPayload.subarray(-4).toString()).toBe('PAR1');
    const failed = await streamed('SELECT nothing FROM usage', 'text/csv');
    expect(failed.statusCode).toBe(400);
    expect(csv.headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
  });

  test('a page is told progress and then the result, or the problem', async () => {
    const said = (body: string) =>
      body
        .trim()
        .split('\n\n')
        .map((event) => JSON.parse(event.slice(6)) as { kind: string });
    const { body } = await streamed('SELECT count() FROM usage', 'text/event-stream');
    expect(said(body).at(-1)).toMatchObject({ kind: 'result', rows: [['3']] });
    const wrong = await streamed('SELECT count( FROM usage', 'text/event-stream');
    expect(said(wrong.body).at(-1)).toMatchObject({ kind: 'problem' });
  });

  test.each([
    ['SELECT 1,\n  FORM usage WHERE', 'query_invalid', 'line 2, column'],
    ['SELECT persn FROM usage', 'query_invalid', 'line 1, column 8: '],
    ['SELECT 1;\nSELECT 2', 'query_invalid', 'Multi-statements are not allowed'],
    ['SELECT {who:String}', 'query_invalid', 'who'],
    ['SELECT \0', 'validation', 'NUL'],
  ])('%j is told where it is wrong', async (sql, code, message) => {
    const { status, body } = await run(sql);
    expect(status).toBe(400);
    expect(body.type).toBe(`urn:lanewatch:problem:${code}`);
    expect(body.errors[0].message).toContain(message);
    expect(body.errors[0].message).not.toMatch(/DB::|version 2|FORMAT/);
  });
});

describe('what nobody may', () => {
  test('there are enough of them', () => {
    expect(new Set(HOSTILE_STATEMENTS).size).toBeGreaterThanOrEqual(60);
  });

  test.each(HOSTILE_STATEMENTS)('is refused with a reason: %s', async (sql) => {
    const { status, body } = await run(sql);
    expect(status, JSON.stringify(body).slice(0, 300)).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
    expect(body.detail.length).toBeGreaterThan(10);
    expect(JSON.stringify(body)).not.toMatch(/root:|passwd:|lw_(dev|prod)_/);
  });
});

test('what a query would read is told without running it, with its indexes; what may not run is refused', async () => {
  const estimate = (sql: string, parameters = {}) => api.post('/v1/sql/estimate', { sql, parameters });
  const { body } = await estimate('SELECT person FROM usage WHERE person = {who:String} -- comment', {
    who: 'ada@example.com',
  });
  expect(body).toMatchObject({ rows: 3, seconds_max: 30 });
  expect(body.seconds).toBeGreaterThan(0);
  expect((await estimate('SELECT person FROM usage WHERE seen_at < today() - 30')).body.rows).toBe(0);
  expect((await estimate('SHOW TABLES')).body.rows).toBeNull();
  expect((await estimate('SELECT persn FROM usage')).status).toBe(400);
  expect((await estimate("SELECT * FROM url('http://127.0.0.1:1/', CSV, 'a Int8')")).status).toBe(403);
});

test('columns of few values tell them, to choose from', async () => {
  const { body } = await api.get('/v1/sql/values');
  expect(body.columns.person.toSorted()).toEqual(['ada@example.com', 'bob@example.com']);
  expect(body.columns).toMatchObject({ model: ['claude-sonnet-4-5'], team: [] });
});

test('a schema names every published column with what it means', async () => {
  const { body } = await api.get('/v1/sql/schema');
  expect(body.tables.map(({ name }: { name: string }) => name)).toEqual([
    'usage',
    'lanes',
    'sessions',
    'findings',
    'credentials',
  ]);
  for (const table of body.tables)
    for (const column of table.columns) expect(column.comment, `${table.name}.${column.name}`).not.toBe('');
});

test.each(GALLERY.map((entry) => [entry.title, entry] as const))(
  'the gallery answers: %s',
  async (_, { sql, parameters, chart }) => {
    const { status, body } = await run(sql, { parameters });
    expect(
      status,
      `${JSON.stringify(body).slice(0, 500)} ${api.logged.filter((line) => line.includes('"level":50')).at(-1) ?? ''}`,
    ).toBe(200);
    const names = body.columns.map(({ name }: { name: string }) => name);
    for (const name of [chart!.x, ...chart!.y]) expect(names).toContain(name);
  },
);

test('queries are kept, shared, changed by who keeps them alone, and what was run is remembered', async () => {
  const kept = { title: 'Mine', sql: 'SELECT 1', parameters: { day: 3 }, chart: null, is_shared: false };
  const created = await api.post('/v1/sql/queries', kept);
  expect(created.status).toBe(201);
  const { id } = created.body;
  const put = await api.app.inject({
    method: 'PUT',
    url: `/v1/sql/queries/${id}`,
    headers: { 'content-type': 'application/json' },
    cookies: { [SESSION_COOKIE]: api.cookie },
    payload: JSON.stringify({ ...kept, title: 'Ours', is_shared: true }),
  });
  expect(put.json()).toMatchObject({ title: 'Ours', is_shared: true, is_own: true, parameters: { day: 3 } });
  expect((await api.get('/v1/sql/queries')).body.items).toHaveLength(1);
  await run('SELECT 40 + 2');
  const history = (await api.get('/v1/sql/history')).body.items;
  expect(history[0]).toMatchObject({ sql: 'SELECT 40 + 2', problem: '' });
  expect(history.length).toBeLessThanOrEqual(100);
});
