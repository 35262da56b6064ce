import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { becomesReady } from './ready.ts';

const servers: ReturnType<typeof createServer>[] = [];
afterEach(() => servers.splice(0).forEach((server) => server.close()));

/** A process that works for a time before it is ready, and says whether only time is wanting. */
async function atWorkFor(workMs: number, headers: Record<string, string>): Promise<string> {
  const readyAt = performance.now() + workMs;
  const server = createServer((_request, response) => {
    const isReady = performance.now() > readyAt;
    response.writeHead(isReady ? 200 : 503, isReady ? {} : headers).end('reading its lanes back');
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/readyz`;
}

const never = new Promise<string>(() => undefined);
const nobody = new AbortController().signal;

test('a process that says it only needs time is waited for, however long it takes', async () => {
  const url = await atWorkFor(2_000, { 'retry-after': '1' });
  expect(await becomesReady(url, never, nobody, 1_000)).toBeNull();
});

test('one that waits for something else is given up after a time, with what it says', async () => {
  const url = await atWorkFor(3_600_000, {});
  expect(await becomesReady(url, never, nobody, 500)).toBe(
    `not ready after 0.5 s (${url}: 503 reading its lanes back)`,
  );
});
