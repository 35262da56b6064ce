import { describe, expect, test } from 'vitest';

import { failure } from './contract.ts';
import type { Contract } from './contract.ts';

/** How a request is refused, and who may ask. */
export function errors(contract: Contract): void {
  const { open, rows, post } = contract;
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
      const elsewhere = open({ database: `${contract.database}_missing` });
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
      const set = await contract.client.query({
        query,
        format: 'JSONEachRow',
        clickhouse_settings: { max_threads: 1 },
      });
      const consume = async (): Promise<number> => {
        let seen = 0;
        for await (const part of set.stream()) seen += part.length;
        return seen;
      };
      await expect(consume()).rejects.toThrow(/throwIf|aborted|terminated/);
      const text = await contract.client.query({
        query,
        format: 'TabSeparated',
        clickhouse_settings: { max_threads: 1 },
      });
      await expect(text.text()).rejects.toThrow();
    });

    test('a wrong password and an unknown user are told apart from nothing', async () => {
      for (const credentials of [
        { username: contract.target.user, password: 'wrong' },
        { username: 'nobody', password: 'wrong' },
      ]) {
        const stranger = open(credentials);
        const error = await failure(stranger.query({ query: 'SELECT 1' }));
        expect([error.code, error.type]).toEqual(['516', 'AUTHENTICATION_FAILED']);
        await stranger.close();
      }
      const response = await fetch(`${contract.target.url}/?query=SELECT%201`, {
        headers: { Authorization: 'Basic bm9ib2R5Ong=' },
      });
      expect(response.status).toBe(403);
    });

    test('credentials are taken from Basic, from the X-ClickHouse headers and from the URL', async () => {
      const basic = Buffer.from(`${contract.target.user}:${contract.target.password}`).toString('base64');
      const query = 'query=SELECT%201';
      const login = `user=${encodeURIComponent(contract.target.user)}&password=${encodeURIComponent(contract.target.password)}`;
      const asked = [
        await fetch(`${contract.target.url}/?${query}`, { headers: { Authorization: `Basic ${basic}` } }),
        await fetch(`${contract.target.url}/?${query}&${login}`),
        await post({}, 'SELECT 1'),
      ];
      for (const response of asked) expect([response.status, await response.text()]).toEqual([200, '1\n']);
    });

    test('GET reads but never writes', async () => {
      const headers = { 'X-ClickHouse-User': contract.target.user, 'X-ClickHouse-Key': contract.target.password };
      const get = (query: string): Promise<Response> =>
        fetch(`${contract.target.url}/?${new URLSearchParams({ database: contract.database, query }).toString()}`, {
          headers,
        });
      expect(await (await get('SELECT 7')).text()).toBe('7\n');
      const refused = await get('CREATE TABLE never (a UInt8) ENGINE = Memory');
      expect(refused.headers.get('x-clickhouse-exception-code')).toBe('164');
      expect(await (await get('EXISTS TABLE never')).text()).toBe('0\n');
    });
  });
}
