import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect, type Socket } from 'node:net';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { idsOn } from './testing/requests.ts';
import { createTestServer, type TestServer } from './testing/test-server.ts';

let server: TestServer;
beforeEach(async () => (server = await createTestServer()));
afterEach(() => server.app.close());

const ids = () => idsOn(server);

describe('over a real socket', () => {
  /** Sends chunk after chunk without a declared length, as Claude Code does, and returns status and bytes that were sent. */
  async function stream(headers: Record<string, string>, chunk: Buffer, chunksMax: number) {
    await server.app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = server.app.server.address() as AddressInfo;
    return await new Promise<{ status: number; body: string }>((resolve, reject) => {
      const sending = request({
        // Without an agent the connection ends with the answer, and the server need not wait for it.
        agent: false,
        port,
        method: 'POST',
        path: '/v1/events',
        headers: { authorization: `Bearer ${server.secret}`, 'content-type': 'application/json', ...headers },
      });
      let sent = 0;
      let answered = false;
      sending.on('response', (response) => {
        answered = true;
        let body = '';
        response.on('data', (part: Buffer) => (body += part.toString()));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
        sending.end();
      });
      sending.on('error', reject);
      const next = () => {
        if (answered) return;
        if (sent++ < chunksMax) sending.write(chunk, next);
        else sending.end();
      };
      next();
    });
  }

  test('an endless body is refused at the limit and the answer arrives', async () => {
    expect(await stream({}, Buffer.alloc(64 * 1024, 0x20), 400)).toMatchObject({ status: 413 });
  });

  test.each([
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
  ])('a %s bomb is refused without being unpacked whole', async (encoding, compress) => {
    const bomb = compress(Buffer.alloc(256 * 1024 * 1024, 0x20));
    expect(bomb.length).toBeLessThan(300_000);
    const before = process.memoryUsage.rss();
    const answer = await stream({ 'content-encoding': encoding }, bomb, 1);
    expect(answer.status).toBe(413);
    expect(process.memoryUsage.rss() - before).toBeLessThan(64 * 1024 * 1024);
  });

  test('what is not HTTP is answered with a problem and closed', async () => {
    await server.app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = server.app.server.address() as AddressInfo;
    const answer = await new Promise<string>((resolve, reject) => {
      let text = '';
      const socket = connect(port, '127.0.0.1', () => socket.write('HELLO\r\n\r\n'));
      socket.on('data', (part) => (text += part.toString()));
      socket.on('end', () => resolve(text)).on('error', reject);
    });
    expect(answer).toMatch(/^HTTP\/1.1 400 [\s\S]*urn:lanewatch:problem:bad_request/);
  });

  test('headers that are too long are answered with 431, in the status line and in the problem', async () => {
    await server.app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = server.app.server.address() as AddressInfo;
    const answer = await new Promise<string>((resolve, reject) => {
      let text = '';
      const head = `POST /v1/events HTTP/1.1\r\nhost: x\r\nx-long: ${'x'.repeat(20_000)}\r\n\r\n`;
      const socket = connect(port, '127.0.0.1', () => socket.write(head));
      socket.on('data', (part) => (text += part.toString()));
      socket.on('end', () => resolve(text)).on('error', reject);
    });
    expect(answer).toMatch(/^HTTP\/1.1 431 [\s\S]*urn:lanewatch:problem:headers_too_large/);
    expect(answer).toContain('"status":431');
  });

  test('a request that takes too long is answered with 408 and closed', async () => {
    await server.app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = server.app.server.address() as AddressInfo;
    // What Node does when its time-out for a request has passed; it looks only every half minute.
    server.app.server.once('connection', (socket: Socket) => {
      socket.once('data', () => {
        const late = Object.assign(new Error('Request timeout'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });
        server.app.server.emit('clientError', late, socket);
      });
    });
    const answer = await new Promise<string>((resolve, reject) => {
      let text = '';
      const socket = connect(port, '127.0.0.1', () => socket.write('POST /v1/events HTTP/1.1\r\nhost: x\r\n'));
      socket.on('data', (part) => (text += part.toString()));
      socket.on('end', () => resolve(text)).on('error', reject);
    });
    expect(answer).toMatch(/^HTTP\/1.1 408 Request Timeout\r\n[\s\S]*urn:lanewatch:problem:request_timeout/);
    expect(answer).toContain('"status":408');
  });

  test('a sender that leaves in mid-body leaves nothing behind', async () => {
    await server.app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = server.app.server.address() as AddressInfo;
    for (const encoding of ['identity', 'gzip']) {
      await new Promise<void>((resolve) => {
        const socket = connect(port, '127.0.0.1', () => {
          socket.write(
            `POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${server.secret}\r\ncontent-type: application/json\r\ncontent-encoding: ${encoding}\r\ncontent-length: 1000\r\n\r\n[{}`,
          );
          setImmediate(() => socket.destroy());
        });
        socket.on('close', () => resolve());
      });
    }
    await expect
      .poll(async () => (await server.app.inject('/metrics')).body)
      .toMatch(/lanewatch_ingest_inflight_bytes 0/);
    expect(ids()).toEqual([]);
    await expect
      .poll(async () => (await server.app.inject('/metrics')).body)
      .toMatch(/lanewatch_ingest_request_seconds_count\{format="events"\} 2/);
  });
});
