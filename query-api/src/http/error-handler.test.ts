import Fastify from 'fastify';
import { BusUnavailableError } from '@lanewatch/ingest/contract';
import { expect, test } from 'vitest';
import { ReadTooLargeError, StoreUnavailableError } from '../clickhouse.ts';
import { RegistryUnavailableError } from '../registry/unavailable.ts';
import { installErrorHandling } from './error-handler.ts';

/** The answer to a request whose route throws. */
async function answerTo(error: Error) {
  const app = Fastify();
  installErrorHandling(app);
  app.get('/', () => Promise.reject(error));
  const { statusCode, headers, body } = await app.inject('/');
  return { status: statusCode, headers, body: JSON.parse(body) as Record<string, unknown> };
}

test.each([
  ['The ledger (ClickHouse)', new StoreUnavailableError(new Error('connect ECONNREFUSED'))],
  ['The registry (Postgres)', new RegistryUnavailableError(new Error('timeout exceeded when trying to connect'))],
  ['The bus', new BusUnavailableError('down')],
])('a store that is away is told by its name, with when to try again: %s', async (name, error) => {
  const { status, headers, body } = await answerTo(error);
  expect(status).toBe(503);
  expect(body).toMatchObject({ type: 'urn:lanewatch:problem:unavailable', detail: expect.stringContaining(name) });
  expect(headers['retry-after']).toBe('2');
});

test('a read that is too large is told as that, without an invitation to try it again', async () => {
  const { status, headers, body } = await answerTo(new ReadTooLargeError(new Error('Timeout exceeded')));
  expect(status).toBe(422);
  expect(body).toMatchObject({ detail: expect.stringContaining('Choose a shorter window') });
  expect(headers).not.toHaveProperty('retry-after');
});

test('any other error is a fault here, and its text stays here', async () => {
  const { status, body } = await answerTo(new Error('column "secret" does not exist'));
  expect(status).toBe(500);
  expect(JSON.stringify(body)).not.toContain('secret');
});
