import { once } from 'node:events';
import { get } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest';
import { SESSION_COOKIE, UNATTENDED_HEADER } from '../../contract/index.ts';
import type { Change } from '../../contract/index.ts';
import { engineOf, startHarness, until } from '../testing/harness.ts';
import type { Harness } from '../testing/harness.ts';
import { finding } from '../testing/registry.ts';

const engine = engineOf(inject('clickhouseServer'));
let api: Harness;
beforeAll(async () => {
  api = await startHarness({ engine });
  await api.app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(() => api.close());

test('listeners hear of stored rows, findings and registry changes, and of nothing after they left', async () => {
  await api.storeRows([{ id: 'before' }]);
  const { port } = api.app.server.address() as { port: number };
  const leaving = new AbortController();
  const response = await fetch(`http://127.0.0.1:${port}/v1/changes`, {
    headers: { cookie: `${SESSION_COOKIE}=${api.cookie}` },
    signal: leaving.signal,
  });
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  let text = '';
  const reading = (async () => {
    for await (const chunk of response.body!) text += Buffer.from(chunk).toString();
  })().catch(() => undefined);
  const changes = (): Change[] =>
    [...text.matchAll(/^event: change\ndata: (.+)$/gm)].map(([, data]) => JSON.parse(data!));
  await until(
    () => Promise.resolve(changes().length),
    (count) => count === 1,
  );
  await api.storeRows([{ id: 'heard' }]);
  await until(
    () => Promise.resolve(changes().length),
    (count) => count === 2,
  );
  expect(changes()[1]!.last_stored_at! > changes()[0]!.last_stored_at!).toBe(true);
  await api.post('/v1/credentials', { name: 'heard', fingerprint: '7'.repeat(64) });
  await until(
    () => Promise.resolve(changes().length),
    (count) => count === 3,
  );
  expect(changes()[2]!.registry_version).toBeGreaterThan(changes()[1]!.registry_version);
  // A finding that was received before another one, as from a partition that lags behind.
  for (const [lane, minute] of [
    ['a', '02'],
    ['b', '01'],
  ] as const) {
    const before = changes().length;
    await api.storeFindings([finding({ rule: 'R01', lane, last_received_at: `2026-11-21T00:${minute}:00.000Z` })]);
    await until(
      () => Promise.resolve(changes().length),
      (count) => count === before + 1,
    );
    const [last, now] = changes().slice(-2);
    expect(now).toEqual({ ...last, findings_version: expect.not.stringMatching(`^${last!.findings_version}$`) });
  }
  expect(api.services.changes.listeners).toBe(1);
  leaving.abort();
  await reading;
  await until(
    () => Promise.resolve(api.services.changes.listeners),
    (count) => count === 0,
  );
});

test('a page left open listens and refreshes, and its session ends all the same', async () => {
  const own = await startHarness({ engine });
  try {
    await own.app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = own.app.server.address() as { port: number };
    const cookie = `${SESSION_COOKIE}=${own.cookie}`;
    const me = (headers: Record<string, string>) =>
      own.app.inject({ method: 'GET', url: '/v1/me', headers: { cookie, ...headers } });
    const endOf = (answer: { json<T>(): T }) => answer.json<{ session_expires_at: string }>().session_expires_at;
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const stream = await fetch(`http://127.0.0.1:${port}/v1/changes`, { headers: { cookie } });
    const ended = (async () => {
      let text = '';
      for await (const chunk of stream.body!) text += Buffer.from(chunk).toString();
      return text;
    })();
    const spy = vi.spyOn(own.services.accounts, 'session');

    await own.ageSessions(11);
    const firstEnd = endOf(await me({ [UNATTENDED_HEADER]: '1' }));
    spy.mockClear();
    vi.advanceTimersByTime(15_000);
    await vi.waitFor(() => expect(spy.mock.settledResults[0]?.type).toBe('fulfilled'));
    expect(endOf(await me({ [UNATTENDED_HEADER]: '1' }))).toBe(firstEnd);
    const leftMs = (end: string): number => Date.parse(end) - Date.now();
    expect(leftMs(firstEnd)).toBeLessThan(3_600_000);
    expect(leftMs(endOf(await me({})))).toBeGreaterThan(11 * 3_600_000);

    await own.ageSessions(13);
    vi.advanceTimersByTime(15_000);
    expect(await ended).toContain(': still here');
    expect((await me({})).statusCode).toBe(401);
  } finally {
    vi.useRealTimers();
    await own.close();
  }
});

test('a listener that does not read loses its connection', async () => {
  const { port } = api.app.server.address() as { port: number };
  const { changes } = api.services;
  const spy = vi.spyOn(changes, 'listen');
  const connection = once(api.app.server, 'connection') as Promise<[Socket]>;
  const request = get({
    ...{ host: '127.0.0.1', port, path: '/v1/changes', agent: false },
    headers: { cookie: `${SESSION_COOKIE}=${api.cookie}` },
  });
  request.on('error', () => undefined);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.pause();
  const [[socket], tell] = [await connection, spy.mock.calls[0]![0]];
  spy.mockRestore();
  const closed = once(socket, 'close');
  // More than the system keeps for the two ends of a connection.
  for (let count = 0; count < 30 && !socket.destroyed; count++) {
    const findings_version = 'x'.repeat(1024 * 1024);
    tell({ last_stored_at: null, findings_version, registry_version: count, triage_version: 0, ledger_answers: true });
  }
  await closed;
  expect(changes.listeners).toBe(0);
  request.destroy();
});

test('a listener that left while its session was looked up is not kept', async () => {
  const { port } = api.app.server.address() as { port: number };
  const { accounts, changes } = api.services;
  const before = changes.listeners;
  const gone = new Promise((resolve) => {
    api.app.server.once('connection', (socket) => socket.once('close', resolve));
  });
  const lookUp = accounts.session.bind(accounts);
  const spy = vi.spyOn(accounts, 'session').mockImplementationOnce(async (token) => {
    request.destroy();
    await gone;
    return lookUp(token);
  });
  const request = get({
    ...{ host: '127.0.0.1', port, path: '/v1/changes', agent: false },
    headers: { cookie: `${SESSION_COOKIE}=${api.cookie}` },
  });
  await expect(once(request, 'response')).rejects.toThrow('socket hang up');
  await vi.waitFor(() => expect(spy.mock.settledResults[0]?.type).toBe('fulfilled'));
  spy.mockRestore();
  // What follows the look-up runs in one turn, up to the route's own work.
  await setImmediate();
  expect(changes.listeners).toBe(before);
});
