import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { expect, onTestFinished, test } from 'vitest';
import { UsageError } from '../../measuring/options.ts';
import { checkTarget, targetOf } from './target.ts';

/** Ingest and ClickHouse in one, as far as they are asked before all. */
async function installation(status: number) {
  const server = createServer((_request, response) => response.writeHead(status).end('why')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function checked(ingestUrl: string, clickhouseUrl: string): Promise<void> {
  const client = createClient({ url: clickhouseUrl, log: { level: ClickHouseLogLevel.OFF } });
  onTestFinished(() => client.close());
  await checkTarget(targetOf(ingestUrl, { COLLECTOR_KEY: 'k', CLICKHOUSE_URL: clickhouseUrl }), client);
}

test('what an installation refuses is told before anything is sent to it, by what must be mended', async () => {
  const open = await installation(200);
  await checked(open, open);
  const closed = await installation(401);
  await expect(checked(closed, open)).rejects.toThrow(/COLLECTOR_KEY.*401: why/);
  await expect(checked(open, closed)).rejects.toThrow(/CLICKHOUSE_.*why/);
  await expect(checked('http://127.0.0.1:1', open)).rejects.toThrow(/--against.*does not answer/);
  await expect(checked(closed, open)).rejects.toBeInstanceOf(UsageError);
});
