import { Readable } from 'node:stream';

import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { Session } from 'chdb';

import { startEmbeddedClickHouse } from '../embedded/clickhouse/spawn.ts';
import { median, throughputResult } from './bench.ts';
import type { Bench, BenchContext, BenchResult } from './bench.ts';

/** P5: the price of the HTTP endpoint. Its floor is 0.85 × what the same engine takes in the caller's own process. */
const FLOOR = 0.85;
const BATCH_ROWS = 20_000;
const BATCHES = 30;

/** Shaped like the ledger: low-cardinality labels, a fingerprint, times, counters and a decimal. */
const TABLE = `ENGINE = MergeTree PARTITION BY toDate(stored_at) ORDER BY (fingerprint, time)
  SETTINGS non_replicated_deduplication_window = 1000`;
const COLUMNS = `id String, fingerprint LowCardinality(String), user LowCardinality(String), agent LowCardinality(String),
  session String, model LowCardinality(String), time DateTime64(3), tokens_in UInt64, tokens_out UInt64,
  cost Decimal(18, 9), latency UInt32, kafka_partition UInt16, kafka_offset UInt64, stored_at DateTime64(3)`;
const ROWS = `SELECT concat('event-', toString(number)) AS id, toLowCardinality(lower(hex(SHA256(toString(number % 400))))) AS fingerprint,
  toLowCardinality(concat('user-', toString(number % 60))) AS user, toLowCardinality(concat('agent-', toString(number % 5))) AS agent,
  toString(toUUID(concat('00000000-0000-0000-0000-', leftPad(toString(number % 3000), 12, '0')))) AS session,
  toLowCardinality(concat('model-', toString(number % 9))) AS model,
  toDateTime64('2026-11-21 00:00:00', 3) + number / 1000 AS time, number * 7 % 20000 AS tokens_in, number * 3 % 900 AS tokens_out,
  toDecimal64(number % 1000 / 1000, 9) AS cost, toUInt32(number % 5000) AS latency, toUInt16(number % 12) AS kafka_partition,
  number AS kafka_offset, toDateTime64('2026-11-21 00:00:00', 3) AS stored_at FROM numbers(${String(BATCH_ROWS)})`;

/**
 * Inserts the same batches, one after the other, through the embedded ClickHouse's HTTP endpoint and through Session.insert of an
 * engine in this process; and as Native blocks, which Session.insert does not take, through the endpoint. The table is emptied
 * between runs, so that no side pays for the merges of the other.
 */
async function run(context: BenchContext): Promise<BenchResult> {
  const engine = await startEmbeddedClickHouse({ path: context.temporaryDirectory() });
  context.atEnd(() => engine.stop());
  const client = createClient({
    url: engine.url,
    username: engine.user,
    password: engine.password,
    log: { level: ClickHouseLogLevel.OFF },
  });
  context.atEnd(() => client.close());
  const session = new Session(context.temporaryDirectory());
  try {
    await client.command({ query: `CREATE TABLE t (${COLUMNS}) ${TABLE}` });
    await session.queryAsync(`CREATE DATABASE bench ENGINE = Atomic`);
    await session.queryAsync(`CREATE TABLE bench.t (${COLUMNS}) ${TABLE}`);
    const text = Buffer.from((await session.queryAsync(ROWS, { format: 'JSONCompactEachRow' })).bytes());
    const native = Buffer.from((await session.queryAsync(ROWS, { format: 'Native' })).bytes());

    const throughEndpoint = async (format: string, body: Buffer): Promise<void> => {
      const { stream } = await client.exec({
        query: `INSERT INTO t FORMAT ${format}`,
        values: Readable.from([body], { objectMode: false }),
        clickhouse_settings: { insert_deduplicate: 0, async_insert: 0 },
      });
      for await (const _chunk of stream) {
        // An INSERT answers nothing.
      }
    };
    const throughSession = async (body: Buffer): Promise<void> => {
      const settings = { insert_deduplicate: 0, async_insert: 0 };
      await session.insert({ table: 'bench.t', values: body, format: 'JSONCompactEachRow', settings });
    };
    const measure = async (insert: () => Promise<void>): Promise<number> => {
      const startedAt = performance.now();
      for (let batch = 0; batch < BATCHES; batch += 1) await insert();
      const rowsPerSecond = (BATCHES * BATCH_ROWS) / ((performance.now() - startedAt) / 1000);
      await client.command({ query: 'TRUNCATE TABLE t' });
      await session.queryAsync('TRUNCATE TABLE bench.t');
      return rowsPerSecond;
    };

    const oursRuns: number[] = [];
    const peerRuns: number[] = [];
    const nativeRuns: number[] = [];
    // The first round warms both up and is not counted.
    for (let round = 0; round <= context.runs; round += 1) {
      const ours = await measure(() => throughEndpoint('JSONCompactEachRow', text));
      const peer = await measure(() => throughSession(text));
      const binary = await measure(() => throughEndpoint('Native', native));
      if (round === 0) continue;
      oursRuns.push(ours);
      peerRuns.push(peer);
      nativeRuns.push(binary);
      context.log(
        `P5 run ${String(round)}: endpoint ${whole(ours)}, session ${whole(peer)}, endpoint Native ${whole(binary)} rows/s`,
      );
    }
    const line = {
      id: 'P5',
      what: 'JSONCompactEachRow batches of 20,000 rows through the HTTP endpoint',
      against: 'Session.insert in process',
      floor: FLOOR,
      note: `the same rows as Native blocks: ${whole(median(nativeRuns))} rows/s`,
    };
    return throughputResult(line, oursRuns, peerRuns);
  } finally {
    // Here and not at the end of a bench that is stopped: closed under a query it takes the process down.
    session.close();
  }
}

export const engineInsert: Bench = {
  id: 'P5',
  summary: 'insert through the embedded HTTP endpoint against Session.insert in process',
  run: async (context) => [await run(context)],
};

function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
