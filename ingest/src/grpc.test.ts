import { Client, compressionAlgorithms, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createGrpcServer, type GrpcServer } from './grpc.ts';
import { fixture } from './testing/format-run.ts';
import { cell } from './testing/memory-bus.ts';
import { createTestServer, type TestServer, TOPIC } from './testing/test-server.ts';

const LOGS = 'logs.v1.LogsService';
const codexLogs = fixture(new URL('formats/codex/x', import.meta.url).href, 'v0.169.0-logs.http-protobuf.pb');

let server: TestServer;
let grpc: GrpcServer;
let port: number;
let client: Client;
let notReady: string | null;

beforeEach(async () => {
  notReady = null;
  server = await createTestServer({ notReadyReason: () => notReady });
  grpc = createGrpcServer(server.serverOptions);
  port = await grpc.listen('127.0.0.1', 0);
  client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
});
afterEach(async () => {
  client.close();
  await grpc.close();
  await server.app.close();
});

/** An export as exporters send it; the answer's bytes, or the error with its status. */
function send(service: string, body: Buffer, headers: Record<string, string> = {}): Promise<Buffer | ServiceError> {
  const metadata = new Metadata();
  const all = { authorization: `Bearer ${server.secret}`, ...headers };
  for (const [name, value] of Object.entries(all)) if (value !== '') metadata.set(name, value);
  const same = (bytes: Buffer) => bytes;
  return new Promise((resolve) => {
    const path = `/opentelemetry.proto.collector.${service}/Export`;
    client.makeUnaryRequest(path, same, same, body, metadata, (error, answer) => resolve(error ?? answer!));
  });
}
const codeOf = async (answer: Promise<Buffer | ServiceError>) => ((await answer) as ServiceError).code;

describe('OTLP over gRPC', () => {
  test('an export is the same event as over HTTP, and full success has no bytes', async () => {
    expect(await send(LOGS, codexLogs)).toHaveLength(0);
    await server.post('/v1/logs', codexLogs, { 'content-type': 'application/x-protobuf' });
    const rows = server.bus.rows(TOPIC);
    expect(rows).toHaveLength(2);
    expect(new Set(rows.map((row) => cell(row, 'id'))).size).toBe(1);
    expect(cell(rows[0]!, 'model')).toBe('gpt-5.1-codex');
    expect(server.tallied.map(({ accepted }) => accepted)).toEqual([1, 1]);
  });

  test.each(['metrics.v1.MetricsService', 'trace.v1.TraceService'])('%s takes an empty request', async (service) => {
    expect(await send(service, Buffer.alloc(0))).toHaveLength(0);
  });

  test('gzip is unpacked, and a message beyond the limit is RESOURCE_EXHAUSTED, as sent or unpacked', async () => {
    const tooLarge = Buffer.alloc(1024 * 1024 + 1);
    expect(await codeOf(send(LOGS, tooLarge))).toBe(status.RESOURCE_EXHAUSTED);
    client.close();
    client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
      'grpc.default_compression_algorithm': compressionAlgorithms.gzip,
    });
    expect(await send(LOGS, codexLogs)).toHaveLength(0);
    expect(server.bus.rows(TOPIC)).toHaveLength(1);
    expect(await codeOf(send(LOGS, tooLarge))).toBe(status.RESOURCE_EXHAUSTED);
  });

  test('a record that is refused is a partial success with its count and reason', async () => {
    const broken = Buffer.from(codexLogs);
    // The year of event.timestamp, so that it is no time any more.
    for (let at = broken.indexOf('2026-11-20T'); at !== -1; at = broken.indexOf('2026-11-20T', at + 1))
      broken[at] = 0x78;
    const answer = (await send(LOGS, broken)) as Buffer;
    expect([answer[0], answer[2], answer[3]]).toEqual([0x0a, 0x08, 1]);
    expect(answer.toString()).toContain('time must be RFC 3339');
  });

  test.each([
    ['no key', { authorization: '' }, status.UNAUTHENTICATED],
    ['an unknown key', { authorization: 'Bearer lw_dev_unknown_key' }, status.UNAUTHENTICATED],
    ['the key as x-api-key', { authorization: '', 'x-api-key': 'it' }, undefined],
  ])('%s', async (_, headers, code) => {
    const given = 'x-api-key' in headers ? { ...headers, 'x-api-key': server.secret } : headers;
    expect(await codeOf(send(LOGS, codexLogs, given))).toBe(code);
  });

  test('bytes that are no export request are INVALID_ARGUMENT, and the next export is taken', async () => {
    expect(await codeOf(send(LOGS, Buffer.from([0xff, 0xff, 0xff])))).toBe(status.INVALID_ARGUMENT);
    expect(await send(LOGS, codexLogs)).toHaveLength(0);
  });

  test('while nothing can be taken, and while the bus is down, it is UNAVAILABLE, which senders try again', async () => {
    notReady = 'Ingest is starting.';
    expect(await codeOf(send(LOGS, codexLogs))).toBe(status.UNAVAILABLE);
    notReady = null;
    server.bus.down = true;
    expect(await codeOf(send(LOGS, codexLogs))).toBe(status.UNAVAILABLE);
  });

  test('a method that is none is UNIMPLEMENTED', async () => {
    expect(await codeOf(send('logs.v1.Nothing', codexLogs))).toBe(status.UNIMPLEMENTED);
  });
});
