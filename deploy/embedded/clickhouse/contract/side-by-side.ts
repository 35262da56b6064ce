import { randomUUID } from 'node:crypto';

import { describe, expect, test } from 'vitest';

import { LONG_QUERY, until } from '../testing.ts';
import { failure } from './contract.ts';
import type { Contract } from './contract.ts';

/** What requests do to one another. */
export function sideBySide(contract: Contract): void {
  const { rows } = contract;
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
        contract.client
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
      const asked = contract.client.query({
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
      const set = await contract.client.query({
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
      const first = contract.client
        .query({ query: `/* label ${label} */ ${LONG_QUERY}`, query_id, abort_signal: stop.signal })
        .catch((error: unknown) => error);
      await until(
        () => running(label),
        (n) => n === 1,
      );
      expect((await failure(contract.client.query({ query: 'SELECT 1', query_id }))).code).toBe('216');
      stop.abort();
      await first;
    });
  });
}
