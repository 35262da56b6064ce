import { once } from 'node:events';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import Fastify from 'fastify';
import { BusUnavailableError } from '@lanewatch/ingest/contract';
import { expect, test } from 'vitest';
import { ReadTooLargeError, StoreUnavailableError } from '../clickhouse.ts';
import { RegistryUnavailableError } from '../registry/unavailable.ts';
import { answerClientError, installErrorHandling } from './error-handler.ts';

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

test('a request that never arrives whole is told that it came too slowly', () => {
  let said = '';
  const socket = { writable: true, end: (text: string) => (said = text) } as unknown as Socket;
  answerClientError(Object.assign(new Error('Request timeout'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), socket);
  expect(said).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\ncontent-type: application\/problem\+json\r\n/);
});

test('a request that comes while the server stops is told so, as a problem', async () => {
  const app = Fastify({ return503OnClosing: false });
  installErrorHandling(app);
  let release = (): void => undefined;
  const slow = new Promise<string>((resolve) => (release = () => resolve('done')));
  app.get('/slow', () => slow);
  app.get('/next', () => 'never');
  await app.listen({ host: '127.0.0.1', port: 0 });
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1');
  let answers = '';
  socket.on('data', (chunk: Buffer) => (answers += chunk.toString()));
  const request = (path: string) => socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`);
  const ended = once(socket, 'close');
  const began = once(app.server, 'request');
  request('/slow');
  await began;
  const closed = app.close();
  const came = once(app.server, 'request');
  request('/next');
  await came;
  release();
  await Promise.all([closed, ended]);
  expect(answers).toContain('503 Service Unavailable');
  expect(answers).toContain('application/problem+json');
  expect(answers).toContain('is stopping');
});
