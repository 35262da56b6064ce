import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { pino } from 'pino';
import { afterEach, describe, expect, inject, test } from 'vitest';
import {
  type Bus,
  COLUMN_INDEX,
  type CollectorCounts,
  collectorCountsKey,
  ROW_VERSION_HEADER,
  topicsOf,
  USAGE_ROW_VERSION,
  type UsageRow,
} from '../contract/index.ts';
import { openBus } from './bus/open.ts';
import { loadConfig } from './config.ts';
import { type Ingest, startIngest } from './ingest.ts';
import { fixture } from './testing/format-run.ts';
import { cell } from './testing/memory-bus.ts';
import { collectorRecord, newSecret } from './testing/test-server.ts';

const kafkaBrokers = inject('kafkaBrokers');
const PARTITIONS = 4;
const DEADLINE_MS = 30_000;

const cleanUp: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'lanewatch-ingest-'));
  cleanUp.push(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

interface Running {
  ingest: Ingest;
  /** A second client of the same bus, to look at what arrived. */
  bus: Bus;
  topics: ReturnType<typeof topicsOf>;
  secret: string;
  post(
    path: string,
    body: Buffer | string,
    headers?: Record<string, string>,
  ): Promise<{ status: number; text: string }>;
}

async function run(busUrl: string): Promise<Running> {
  const prefix = `test-${randomBytes(6).toString('hex')}.`;
  const topics = topicsOf(prefix, PARTITIONS);
  const bus = await openBus(busUrl);
  cleanUp.push(() => bus.close());
  await bus.ensureTopics([topics.usage, topics.credentials, topics.collectorCounts]);
  const secret = newSecret();
  const record = collectorRecord(secret);
  await bus.publish(topics.credentials.name, [{ key: record.fingerprint, value: Buffer.from(JSON.stringify(record)) }]);
  const config = loadConfig({
    BUS_URL: busUrl,
    TOPIC_PREFIX: prefix,
    INGEST_PORT: '0',
    INGEST_GRPC_PORT: 'off',
    USAGE_PARTITIONS: String(PARTITIONS),
    SPOOL_DIR: await temporaryDirectory(),
    COLLECTOR_COUNTS_INTERVAL_MS: '200',
  });
  const ingest = await startIngest(config, await openBus(busUrl), pino({ level: 'silent' }));
  cleanUp.push(() => ingest.stop());
  await ingest.ready;
  return {
    ingest,
    bus,
    topics,
    secret,
    async post(path, body, headers = {}) {
      const response = await fetch(`${ingest.url}${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : new Uint8Array(body),
      });
      return { status: response.status, text: await response.text() };
    },
  };
}

/** Every row on the usage topic, with its partition, once `enough` of them are there. */
async function rowsOn({ bus, topics }: Running, enough: number): Promise<{ partition: number; row: UsageRow }[]> {
  const rows: { partition: number; row: UsageRow }[] = [];
  const subscription = await bus.subscribe({
    topic: topics.usage.name,
    group: `reader-${randomBytes(4).toString('hex')}`,
    onAssignment: () => Promise.resolve(new Map()),
    onBatch: ({ partition, records }) => {
      for (const { value, headers } of records) {
        expect(headers[ROW_VERSION_HEADER]).toBe(USAGE_ROW_VERSION);
        for (const line of value.toString().split('\n')) rows.push({ partition, row: JSON.parse(line) as UsageRow });
      }
      return Promise.resolve();
    },
  });
  try {
    await expect.poll(() => rows.length, { timeout: DEADLINE_MS }).toBeGreaterThanOrEqual(enough);
    return rows;
  } finally {
    await subscription.close();
  }
}

const BUSES: [string, (() => Promise<string>) | null][] = [
  ['the embedded bus', async () => `lmdb:${await temporaryDirectory()}`],
  ['Kafka', kafkaBrokers === null ? null : () => Promise.resolve(`kafka://${kafkaBrokers}`)],
];

describe.each(BUSES)('ingest on %s', (_, urlOf) => {
  const claude = (name: string) => fixture(new URL('formats/claude-code/x', import.meta.url).href, name);

  test.skipIf(urlOf === null)(
    'real clients with the issued key: their usage is on the bus when they are answered',
    async () => {
      const running = await run(await urlOf!());
      expect(await running.post('/v1/logs', claude('v2.1.197-logs-api_request.http-json.json'))).toEqual({
        status: 200,
        text: '{}',
      });
      const protobuf = { 'content-type': 'application/x-protobuf' };
      expect(await running.post('/v1/logs', claude('v2.1.197-logs.http-protobuf.pb'), protobuf)).toEqual({
        status: 200,
        text: '',
      });
      const packed = gzipSync(claude('v2.1.197-logs-api_error-401.http-json.json'));
      expect(await running.post('/v1/logs', packed, { 'content-encoding': 'gzip' })).toEqual({
        status: 200,
        text: '{}',
      });
      const rows = await rowsOn(running, 3);
      expect(
        rows.map(({ row }) => [cell(row, 'source'), cell(row, 'outcome'), cell(row, 'cost_nano_usd')]).sort(),
      ).toEqual([
        ['claude-code', 'denied', 0],
        ['claude-code', 'success', 5_700_000],
        ['claude-code', 'success', 5_700_000],
      ]);
    },
  );

  test.skipIf(urlOf === null)(
    'many senders at once: each event once, those of a key in one partition and in order',
    async () => {
      const running = await run(await urlOf!());
      const senders = 20;
      const perSender = 200;
      await Promise.all(
        Array.from({ length: senders }, async (__, sender) => {
          for (let batch = 0; batch < 4; batch++) {
            const events = Array.from({ length: perSender / 4 }, (___, index) => ({
              source: `sender-${sender}`,
              id: String(batch * (perSender / 4) + index),
              time: '2026-11-20T12:00:00Z',
              credential: { fingerprint: String(sender).padStart(64, '0') },
            }));
            const body = events.map((event) => JSON.stringify(event)).join('\n');
            const answer = await running.post('/v1/events', body, { 'content-type': 'application/x-ndjson' });
            expect(answer.status).toBe(200);
          }
        }),
      );
      const rows = await rowsOn(running, senders * perSender);
      expect(rows).toHaveLength(senders * perSender);
      for (let sender = 0; sender < senders; sender++) {
        const own = rows.filter(({ row }) => row[COLUMN_INDEX.source] === `sender-${sender}`);
        expect(new Set(own.map(({ partition }) => partition)).size).toBe(1);
        expect(own.map(({ row }) => Number(cell(row, 'id')))).toEqual(
          Array.from({ length: perSender }, (__, id) => id),
        );
      }
    },
  );

  test.skipIf(urlOf === null)('counts per collector are reported, the last ones when ingest stops', async () => {
    const running = await run(await urlOf!());
    await running.post('/v1/events', JSON.stringify([{ source: 's', id: '1', time: '2026-11-20T12:00:00Z' }, {}]));
    await running.ingest.stop();
    let latest: CollectorCounts | undefined;
    const view = await running.bus.followLatest(running.topics.collectorCounts.name, ({ key, value }) => {
      const counts = JSON.parse(value.toString()) as CollectorCounts;
      expect(key).toBe(collectorCountsKey(counts));
      latest = counts;
    });
    cleanUp.push(() => view.close());
    await view.caughtUp();
    expect(latest).toMatchObject({ service: 'ingest', collector: 'collector-1', accepted: 1, rejected: 1, ignored: 0 });
  });

  test.skipIf(urlOf === null)('a key that is revoked while ingest runs is refused a moment later', async () => {
    const running = await run(await urlOf!());
    expect((await running.post('/v1/events', '[]')).status).toBe(200);
    const revoked = collectorRecord(running.secret, { status: 'revoked', version: 2 });
    await running.bus.publish(running.topics.credentials.name, [
      { key: revoked.fingerprint, value: Buffer.from(JSON.stringify(revoked)) },
    ]);
    await expect.poll(async () => (await running.post('/v1/events', '[]')).status, { timeout: DEADLINE_MS }).toBe(403);
  });
});

test('while the bus cannot be reached ingest answers 503 and says why, and stops when told to', async () => {
  const bus = await openBus('kafka://127.0.0.1:1', { publishTimeoutMs: 500 });
  const config = loadConfig({
    BUS_URL: 'kafka://127.0.0.1:1',
    INGEST_PORT: '0',
    INGEST_GRPC_PORT: 'off',
    SPOOL_DIR: 'off',
  });
  const ingest = await startIngest(config, bus, pino({ level: 'silent' }));
  cleanUp.push(() => ingest.stop());
  const answer = await fetch(`${ingest.url}/readyz`);
  expect([answer.status, await answer.json()]).toEqual([
    503,
    { ready: false, reason: expect.stringContaining('which keys') as string },
  ]);
  const posted = await fetch(`${ingest.url}/v1/events`, { method: 'POST', body: '[]' });
  expect([posted.status, posted.headers.get('retry-after')]).toEqual([503, '1']);
});
