import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http';
import type { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { fingerprintOf } from '../../contract/index.ts';
import { createPolicyView } from './policy.ts';
import { parseProviders } from './providers.ts';
import { type ProxyOptions } from './proxy.ts';
import { body, proxied, SECRET } from './testing/proxied.ts';

const WEBSOCKET = {
  ...{ connection: 'Upgrade', upgrade: 'websocket', authorization: `Bearer ${SECRET}` },
  ...{ 'sec-websocket-version': '13', 'sec-websocket-key': 'a2V5' },
};

test('a WebSocket goes through, is reported as it opens, and ends on both sides with either', async () => {
  const upstreams: Duplex[] = [];
  const { url, reported, server } = await proxied(() => undefined);
  server.on('upgrade', (request, socket, head) => {
    upstreams.push(socket);
    expect(request.url).toBe('/base/v1/realtime?model=gpt-realtime');
    expect(request.headers).toMatchObject(WEBSOCKET);
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nsec-websocket-accept: x\r\n\r\nhello',
    );
    socket.write(head);
    socket.pipe(socket);
  });
  const ask = () => httpRequest(`${url}/openai/v1/realtime?model=gpt-realtime`, { headers: WEBSOCKET }).end();
  const asked = ask();
  const [answer, socket, head] = (await once(asked, 'upgrade')) as [IncomingMessage, Duplex, Buffer];
  expect(answer.headers['sec-websocket-accept']).toBe('x');
  expect(await reported()).toMatchObject({
    ...{ fingerprint: fingerprintOf(SECRET), operation: 'WEBSOCKET /v1/realtime', action: 'access' },
    ...{ outcome: 'success', status_code: 101, tokens_output: 0 },
  });
  let received = head.toString();
  socket.on('data', (bytes: Buffer) => (received += bytes.toString()));
  socket.write('one');
  await expect.poll(() => received).toBe('helloone');
  const ended = once(upstreams[0]!, 'close');
  socket.destroy();
  await ended;
  // One that is left open: the server would not close before it ends.
  await once(ask(), 'upgrade');
});

test('a WebSocket that the provider never answers ends with its client, and does not keep the server from closing', async () => {
  const { url, server } = await proxied(() => undefined);
  const ask = async (): Promise<[ClientRequest, Duplex]> => {
    const asked = httpRequest(`${url}/openai/v1/realtime`, { headers: WEBSOCKET });
    asked.on('error', () => undefined).end();
    const [, upstream] = (await once(server, 'upgrade')) as [IncomingMessage, Duplex];
    upstream.resume().once('end', () => upstream.end());
    return [asked, upstream];
  };
  const [asked, upstream] = await ask();
  const ended = once(upstream, 'close');
  asked.destroy();
  await ended;
  // One that is left open: the server would not close before it ends.
  await ask();
});

test('a provider that takes no WebSocket says so itself, and one that is not reached is told', async () => {
  // Longer than what is sent at one time.
  const no = 'no'.repeat(1_000_000);
  const { url, events } = await proxied((_request, response) => response.writeHead(426).end(no));
  const ask = async (target: string) => {
    const asked = httpRequest(url + target, { headers: WEBSOCKET });
    asked.end();
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    return [response.statusCode, (await body(response)).toString()];
  };
  expect(await ask('/openai/v1/realtime')).toEqual([426, no]);
  const gone = parseProviders('openai=http://127.0.0.1:1') as ProxyOptions['providers'];
  const unreached = await proxied(() => undefined, { providers: gone });
  const asked = httpRequest(`${unreached.url}/openai/v1/realtime`, { headers: WEBSOCKET });
  asked.end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  expect(response.statusCode).toBe(502);
  await expect.poll(() => events.map(({ status_code }) => status_code)).toEqual([426]);
});

test('a WebSocket is refused by policy like any request, and does not reach the provider', async () => {
  const { url, reported, server } = await proxied(() => undefined, { policy: createPolicyView(new Set(['unknown'])) });
  let reachedProvider = false;
  server.on('upgrade', () => (reachedProvider = true));
  const asked = httpRequest(`${url}/openai/v1/realtime`, { headers: WEBSOCKET });
  asked.end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  expect(response.statusCode).toBe(403);
  expect((await body(response)).toString()).toContain('lanewatch_policy_unknown');
  expect(await reported()).toMatchObject({ outcome: 'denied', flags: ['refused_by_policy'] });
  expect(reachedProvider).toBe(false);
});
