import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';

import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { Session } from 'chdb';

import { startEmbeddedClickHouse } from '../embedded/clickhouse/spawn.ts';
import { median, throughputResult } from './bench.ts';
import type { Bench, BenchResult } from './bench.ts';

/** P5: the price of the HTTP endpoint. Its floor is 0.85 × what the same engine takes in the caller's own process. */
const FLOOR = 0.85;
const BATCH_ROWS = 20_000;

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

export type EngineInsertOptions = {
  /** Interleaved runs of each side; medians are taken. Default 5. */
  runs?: number;
  /** Batches of 20,000 rows per run. Default 30. */
  batches?: number;
  log?: (line: string) => void;
};

export type EngineInsertResult = {
  name: string;
  /** Rows per second through the HTTP endpoint, JSONCompactEachRow. */
  ours: number;
  /** Rows per second through Session.insert in this process, the same bytes. */
  peer: number;
  ratio: number;
  unit: 'rows/s';
  floor: number;
  detail: {
    oursRuns: number[];
    peerRuns: number[];
    /** The same rows as Native blocks, which Session.insert does not take. */
    native: number;
    nativeRuns: number[];
    batchRows: number;
    bytes: { jsonCompactEachRow: number; native: number };
  };
};

/**
 * Inserts the same 20,000-row batches, one after the other, through the embedded ClickHouse's HTTP endpoint and through
 * Session.insert of an engine in this process. The table is emptied between runs, so that no side pays for the merges
 * of the other.
 */
async function run(options: EngineInsertOptions = {}): Promise<EngineInsertResult> {
  const runs = options.runs ?? 5;
  const batches = options.batches ?? 30;
  const log = options.log ?? (() => undefined);
  const directory = mkdtempSync(join(tmpdir(), 'lanewatch-engine-insert-'));
  const engine = await startEmbeddedClickHouse({ path: join(directory, 'endpoint') });
  const client = createClient({
    url: engine.url,
    username: engine.user,
    password: engine.password,
    log: { level: ClickHouseLogLevel.OFF },
  });
  const session = new Session(join(directory, 'session'));
  try {
    await client.command({ query: `CREATE TABLE t (${COLUMNS}) ${TABLE}` });
    await session.queryAsync(`CREATE DATABASE bench ENGINE = Atomic`);
    await session.queryAsync(`CREATE TABLE bench.t (${COLUMNS}) ${TABLE}`);
    const text = Buffer.from((await session.queryAsync(ROWS, { format: 'JSONCompactEachRow' })).bytes());
    const native = Buffer.from((await session.queryAsync(ROWS, { format: 'Native' })).bytes());

    let token = 0;
    const throughEndpoint = async (format: string, body: Buffer): Promise<void> => {
      token += 1;
      const { stream } = await client.exec({
        query: `INSERT INTO t FORMAT ${format}`,
        values: Readable.from([body], { objectMode: false }),
        clickhouse_settings: { insert_deduplication_token: String(token), async_insert: 0 },
      });
      for await (const _chunk of stream) {
        // An INSERT answers nothing.
      }
    };
    const throughSession = async (body: Buffer): Promise<void> => {
      token += 1;
      const settings = { insert_deduplication_token: String(token), async_insert: 0 };
      await session.insert({ table: 'bench.t', values: body, format: 'JSONCompactEachRow', settings });
    };
    const measure = async (insert: () => Promise<void>): Promise<number> => {
      const startedAt = performance.now();
      for (let batch = 0; batch < batches; batch += 1) await insert();
      const rowsPerSecond = (batches * BATCH_ROWS) / ((performance.now() - startedAt) / 1000);
      await client.command({ query: 'TRUNCATE TABLE t' });
      await session.queryAsync('TRUNCATE TABLE bench.t');
      return rowsPerSecond;
    };

    const oursRuns: number[] = [];
    const peerRuns: number[] = [];
    const nativeRuns: number[] = [];
    // The first round warms both up and is not counted.
    for (let round = 0; round <= runs; round += 1) {
      const ours = await measure(() => throughEndpoint('JSONCompactEachRow', text));
      const peer = await measure(() => throughSession(text));
      const binary = await measure(() => throughEndpoint('Native', native));
      if (round === 0) continue;
      oursRuns.push(ours);
      peerRuns.push(peer);
      nativeRuns.push(binary);
      log(
        `P5 run ${String(round)}: endpoint ${whole(ours)}, session ${whole(peer)}, endpoint Native ${whole(binary)} rows/s`,
      );
    }
    const ours = median(oursRuns);
    const peer = median(peerRuns);
    return {
      name: 'P5',
      ours,
      peer,
      ratio: ours / peer,
      unit: 'rows/s',
      floor: FLOOR,
      detail: {
        oursRuns,
        peerRuns,
        native: median(nativeRuns),
        nativeRuns,
        batchRows: BATCH_ROWS,
        bytes: { jsonCompactEachRow: text.length, native: native.length },
      },
    };
  } finally {
    session.close();
    await client.close();
    await engine.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** P5 as a line of the common table. */
export const engineInsert: Bench = {
  id: 'P5',
  summary: 'insert through the embedded HTTP endpoint against Session.insert in process',
  async run(context): Promise<BenchResult[]> {
    const { detail } = await run({
      runs: context.runs,
      log: (line) => {
        context.log(line);
      },
    });
    const line = {
      id: 'P5',
      what: 'JSONCompactEachRow batches of 20,000 rows through the HTTP endpoint',
      against: 'Session.insert in process',
      floor: FLOOR,
      note: `the same rows as Native blocks: ${whole(detail.native)} rows/s`,
    };
    return [throughputResult(line, detail.oursRuns, detail.peerRuns)];
  },
};

function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const result = await run({
    log: (line) => {
      process.stderr.write(`${line}\n`);
    },
  });
  process.stdout.write(
    `| | ours | peer | ratio | floor | Native |\n|---|---|---|---|---|---|\n` +
      `| P5 | ${whole(result.ours)} rows/s | ${whole(result.peer)} rows/s | ${result.ratio.toFixed(2)}× | ${String(FLOOR)}× | ${whole(result.detail.native)} rows/s |\n\n` +
      `${JSON.stringify(result)}\n`,
  );
}
