import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { EXPORT_HEADER, EXPORTED, EXPORT_FORMATS, SESSION_COOKIE } from '../../contract/index.ts';
import type { ExportFormat, ExportReceipt } from '../../contract/index.ts';
import { engineOf, startHarness } from '../testing/harness.ts';
import type { Harness } from '../testing/harness.ts';
import { checkExport } from './check.ts';

const engine = engineOf(inject('clickhouseServer'));
const FORMULA = '=HYPERLINK("http://evil.example";"a")';
const ROWS = 1_000_000;
const MB = 1024 * 1024;
/** A fraction of what the rows are in memory, or as JSON. */
const HELD_MB_MAX = 250;

let api: Harness;
let directory: string;
beforeAll(async () => {
  api = await startHarness({ engine });
  directory = await mkdtemp(join(tmpdir(), 'lanewatch-exports-'));
});
afterAll(async () => {
  await api.close();
  await rm(directory, { recursive: true, force: true });
});

async function exported(request: object): Promise<{ path: string; receipt: ExportReceipt; text: string }> {
  const cookies = { [SESSION_COOKIE]: api.cookie };
  const answer = await api.app.inject({ method: 'POST', url: '/v1/exports', payload: request, cookies });
  expect(answer.statusCode).toBe(200);
  const receipt = (await api.get(`/v1/exports/${String(answer.headers[EXPORT_HEADER])}`)).body as ExportReceipt;
  const path = join(directory, receipt.file_name);
  await writeFile(path, answer.rawPayload);
  return { path, receipt, text: answer.rawPayload.toString('utf8') };
}

test('every export in every format is as its receipt says, one changed byte is refused, and no cell starts a formula', async () => {
  const key = { kind: 'managed', name: FORMULA, environment: 'sandbox', owner: 'ada', project: 'apollo' };
  expect((await api.post('/v1/credentials', key)).status).toBe(201);
  await api.storeRows([{ user: FORMULA, agent: 'two\nlines, "quoted"' }, { user: 'bob' }]);
  expect((await api.post('/v1/signing-key')).status).toBe(201);
  expect((await api.post('/v1/signing-key')).status).toBe(409);
  for (const what of EXPORTED) {
    for (const format of EXPORT_FORMATS) {
      const { path, receipt, text } = await exported({ what, format });
      expect([what, format, await checkExport(path, { receipt, evidence: null })]).toEqual([what, format, []]);
      expect(receipt.rows).toBeGreaterThan(what === 'registry' ? 0 : 1);
      if (format === 'csv' && what !== 'audit') expect(text).toMatch(/(^|[,"\n])'=HYPERLINK/);
      if (format === 'csv') expect(text).not.toMatch(/(^|[,\n])"?=/);
      const bytes = await readFile(path);
      bytes[bytes.length >> 1]! ^= 1;
      await writeFile(path, bytes);
      expect((await checkExport(path, { receipt, evidence: null })).join()).toContain('SHA-256');
    }
  }
  const { path, receipt } = await exported({ what: 'ledger', format: 'parquet', filters: { user: ['bob'] } });
  const file = await readFile(path);
  const rows = await parquetReadObjects({ file: new Uint8Array(file).buffer });
  expect([receipt.rows, rows.map(({ user }) => user)]).toEqual([1, ['bob']]);
  expect(
    (await checkExport(path, { receipt: { ...receipt, made_by: 'somebody else' }, evidence: null })).join(),
  ).toContain('signed');
  const { items } = (await api.get('/v1/exports', { limit: '1' })).body;
  expect(items).toEqual([receipt]);
  expect((await api.get('/v1/audit/chain')).body).toMatchObject({ holds: true, head: receipt.chain_head });
});

test('what keeps the first rows from being read is a problem, in every format', async () => {
  for (const format of EXPORT_FORMATS) {
    const { status } = await api.post('/v1/exports', { what: 'audit', format, filters: { actor: '\u0000' } });
    expect([format, status]).toEqual([format, 400]);
  }
});

test('a million rows leave at constant memory, and an export that is given up leaves no receipt', async () => {
  await api.storeRows([{ user: 'many' }]);
  const database = api.config.clickhouse.database;
  await fetch(engine.url, {
    method: 'POST',
    headers: { 'x-clickhouse-user': engine.user, 'x-clickhouse-key': engine.password },
    body: `INSERT INTO ${database}.ledger SELECT ledger.* REPLACE (1000000 + number AS kafka_offset)
      FROM ${database}.ledger AS ledger, numbers(${ROWS - 1}) AS numbers WHERE user = 'many'`,
  });
  await api.app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = api.app.server.address() as AddressInfo;
  const begin = (format: ExportFormat): Promise<Response> =>
    fetch(`http://127.0.0.1:${port}/v1/exports`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', cookie: `${SESSION_COOKIE}=${api.cookie}` },
      body: JSON.stringify({ what: 'ledger', format, filters: { user: 'many' } }),
    });
  // Parquet is written by the engine, JSON and CSV by one and the same code.
  for (const format of ['json', 'parquet'] as const) {
    const before = process.memoryUsage().rss;
    let highest = before;
    let bytes = 0;
    const whole = await begin(format);
    for await (const chunk of whole.body!) {
      bytes += chunk.length;
      highest = Math.max(highest, process.memoryUsage().rss);
    }
    const receipt = (await api.get(`/v1/exports/${whole.headers.get(EXPORT_HEADER)}`)).body as ExportReceipt;
    expect(receipt).toMatchObject({ rows: ROWS, bytes });
    expect((highest - before) / MB, format).toBeLessThan(HELD_MB_MAX);
  }

  const givenUp = await begin('json');
  await givenUp.body!.cancel();
  expect((await api.get(`/v1/exports/${givenUp.headers.get(EXPORT_HEADER)}`)).status).toBe(404);
}, 300_000);
