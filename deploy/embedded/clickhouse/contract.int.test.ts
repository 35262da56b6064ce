import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { useContract } from './contract/contract.ts';
import type { Target } from './contract/contract.ts';
import { errors } from './contract/errors.ts';
import { reading } from './contract/reading.ts';
import { sideBySide } from './contract/side-by-side.ts';
import { writing } from './contract/writing.ts';
import { startEmbeddedClickHouse } from './spawn.ts';

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

describe.each(targets)('ClickHouse HTTP interface of %s', (_name, start) => {
  const contract = useContract(start);
  const { post } = contract;

  reading(contract);
  errors(contract);
  writing(contract);
  sideBySide(contract);

  test('parameters that are there and empty are none', async () => {
    const none = { database: '', default_format: '', query_id: '' };
    const response = await post(none, 'SELECT currentDatabase()');
    expect([response.status, response.headers.get('x-clickhouse-format')]).toEqual([200, 'TabSeparated']);
    expect(await response.text()).not.toBe('\n');
    expect(response.headers.get('x-clickhouse-query-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('every answer names the query, the server and the format', async () => {
    const response = await post({ query_id: `named-${contract.database}`, default_format: 'JSONCompact' }, 'SELECT 1');
    expect(response.headers.get('x-clickhouse-query-id')).toBe(`named-${contract.database}`);
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
