import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { openClickHouse, ReadTooLargeError, StoreUnavailableError } from './clickhouse.ts';
import type { ClickHouse } from './clickhouse.ts';
import { engineOf } from './testing/harness.ts';

let store: ClickHouse;
beforeAll(() => {
  store = openClickHouse({ ...engineOf(inject('clickhouseServer')), database: 'default' });
});
afterAll(() => store.close());

test('a read that takes longer than it may is ended by the engine and told as too large', async () => {
  const endless = store.rows('SELECT count() FROM system.numbers', {}, { patienceMs: 3_000 });
  await expect(endless).rejects.toBeInstanceOf(ReadTooLargeError);
});

test('a read that takes more memory than it may is too large, all at once or row by row', async () => {
  const large = 'SELECT number, count() FROM numbers(1000000) GROUP BY number SETTINGS max_memory_usage = 1000000';
  await expect(store.rows(large)).rejects.toBeInstanceOf(ReadTooLargeError);
  await expect(store.stream(large, {}, () => undefined)).rejects.toBeInstanceOf(ReadTooLargeError);
});

test('a table that is not there yet is waited for, and nothing can be written', async () => {
  await expect(store.rows('SELECT 1 FROM default.absent')).rejects.toBeInstanceOf(StoreUnavailableError);
  await expect(store.rows('CREATE TABLE default.made (a UInt8) ENGINE = Memory')).rejects.toMatchObject({
    code: '164',
  });
});
