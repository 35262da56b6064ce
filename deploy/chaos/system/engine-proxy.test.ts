import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { until } from '../until.ts';
import { startEngineProxy } from './engine-proxy.ts';

const INSERT = '/?query=' + encodeURIComponent('INSERT INTO lanewatch.ledger (`id`) FORMAT Native');
const FINDINGS = '/?query=' + encodeURIComponent('INSERT INTO lanewatch.findings FORMAT JSONEachRow');
const BODY = 'x'.repeat(1_000);

/** An engine that counts what reached it whole, behind a proxy. */
async function proxied() {
  const received: { url: string; body: string; whole: boolean }[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.once('close', () => received.push({ url: request.url ?? '', body, whole: request.complete }));
    request.once('end', () => response.setHeader('x-clickhouse-exception-code', '469').end('done'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxy = await startEngineProxy(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  onTestFinished(async () => {
    await proxy.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { proxy, received };
}

/** The answer's text, or null when the connection ended without one. */
function post(url: string, path: string): Promise<string | null> {
  return new Promise((resolve) => {
    const request = httpRequest(new URL(path, url), { method: 'POST', agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.once('end', () => resolve(text));
      response.once('error', () => resolve(null));
    });
    request.once('error', () => resolve(null));
    request.end(BODY);
  });
}

test('unarmed, everything passes both ways', async () => {
  const { proxy, received } = await proxied();
  expect(await post(proxy.url, INSERT)).toBe('done');
  expect(received).toEqual([{ url: INSERT, body: BODY, whole: true }]);
  expect(proxy.counts.fenced).toBe(1);
});

test('a dropped answer leaves the engine with the whole request and the sender with nothing, once', async () => {
  const { proxy, received } = await proxied();
  proxy.arm(['drop-answer']);
  expect(await post(proxy.url, FINDINGS)).toBe('done');
  expect(await post(proxy.url, INSERT)).toBeNull();
  expect(received.map(({ url, whole }) => [url, whole])).toEqual([
    [FINDINGS, true],
    [INSERT, true],
  ]);
  expect(await post(proxy.url, INSERT)).toBe('done');
});

test('a cut request reaches the engine in part and is not answered', async () => {
  const { proxy, received } = await proxied();
  proxy.arm(['cut-request']);
  expect(await post(proxy.url, INSERT)).toBeNull();
  await until('the engine to see the end of it', 5_000, () => Promise.resolve(received.length === 1));
  expect(received[0]!.whole).toBe(false);
  expect(received[0]!.body.length).toBeLessThan(BODY.length);
});

test('a held insert reaches the engine only when it is released, whether or not its sender is still there', async () => {
  const { proxy, received } = await proxied();
  const holding = proxy.holdNext(AbortSignal.timeout(5_000));
  const sender = new AbortController();
  const request = httpRequest(new URL(INSERT, proxy.url), { method: 'POST', signal: sender.signal, agent: false });
  request.once('error', () => undefined);
  request.end(BODY);
  const held = await holding;
  expect(received).toEqual([]);
  sender.abort();
  expect(await held!.release()).toBe('469');
  expect(received).toEqual([{ url: INSERT, body: BODY, whole: true }]);
});
