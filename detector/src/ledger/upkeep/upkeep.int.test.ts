import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ClickHouseClient } from '@clickhouse/client';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { tempDir, uniqueName } from '../../../../deploy/testing/helpers.ts';
import { connect } from '../clickhouse.ts';
import { migrate, type MigrateOptions } from '../migrate/migrate.ts';
import { MIGRATIONS_DIRECTORY, readMigrations } from '../migrate/migration-files.ts';
import { startTestEngine, type TestEngine } from '../testing.ts';
import { startUpkeep, type Upkeep } from './upkeep.ts';

/** Last migrations of installations that were made before the roll-up by day, and before it told use from refusal. */
const BEFORE_ANY = 5;
const BEFORE_USE = 34;
const BEFORE_CORRECTIONS = 59;
const BEFORE_SPEND = 65;
const DAYS = 3;
const ROWS_PER_DAY = 500;

describe('a ledger from before its roll-up', () => {
  let engine: TestEngine;
  let client: ClickHouseClient;
  beforeAll(async () => {
    engine = await startTestEngine();
    client = connect(engine, 60_000);
  });
  afterAll(async () => {
    await client.close();
    await engine.stop();
  });

  async function rows<Row>(query: string, settings: Record<string, number> = {}): Promise<Row[]> {
    const answer = await client.query({
      query,
      format: 'JSONCompactEachRow',
      clickhouse_settings: { output_format_json_quote_64bit_integers: 0, ...settings },
    });
    return answer.json<Row>();
  }

  /** Made and filled by the migrations of then, and brought up to date by those of now. */
  async function upgraded(before = BEFORE_ANY): Promise<{
    database: string;
    page: (settings?: Record<string, number>) => Promise<unknown>;
  }> {
    const database = uniqueName('upgrade_test');
    onTestFinished(async () => {
      await client.command({ query: `DROP DATABASE IF EXISTS ${database} SYNC` });
    });
    const { user, password } = engine;
    const options: MigrateOptions = { database, engine: 'MergeTree', fsync: false, user, password };
    const directory = join(await tempDir(), 'migrations');
    mkdirSync(directory);
    for (const { name, version } of readMigrations(MIGRATIONS_DIRECTORY))
      if (version <= before) copyFileSync(join(MIGRATIONS_DIRECTORY, name), join(directory, name));
    await migrate(client, { ...options, directory });
    await client.command({ query: `INSERT INTO ${database}.claims VALUES (0, 'then', now64(6))` });
    await client.command({ query: `SYSTEM RELOAD DICTIONARY ${database}.claims_by_partition` });
    for (let day = 1; day <= DAYS; day++)
      await client.command({
        query: `INSERT INTO ${database}.ledger (lane, user, session, standing, cost_usd, seen_at, stored_at, kafka_offset, claimant)
          SELECT concat('lane-', toString(number % 7)), concat('user-', toString(number % 11)), concat('s-', toString(number % 50)),
            if(number % 5 = 0, 'unknown', 'known'), 0.001, stored_at - number % 100, toDateTime64('2026-11-0${day} 12:00:00', 3, 'UTC') AS stored_at,
            ${day} * 1000 + number, 'then'
          FROM numbers(${ROWS_PER_DAY})`,
      });
    await migrate(client, options);
    const page = (settings: Record<string, number> = {}) =>
      rows(
        `SELECT lane, sum(calls), uniqExactIf(session, session != ''), uniqExactIf(user, user != ''), toString(sum(cost_usd)), max(kafka_offset),
           sumIf(calls, outcome != 'denied'), (argMaxIf(hint, seen_at, hint != ''), argMaxIf(org, seen_at, hint != ''))
         FROM ${database}.ledger WHERE toDate(seen_at) >= '2026-11-02' GROUP BY lane ORDER BY lane`,
        { optimize_empty_string_comparisons: 0, ...settings },
      );
    return { database, page };
  }

  function start(database: string, told: [number, number][] = [], onWait: () => void = () => undefined): Upkeep {
    const upkeep = startUpkeep({
      client,
      database,
      wait: (_ms, signal) => {
        onWait();
        return delay(20, undefined, { signal });
      },
      onProgress: (done, total) => told.push([done, total]),
      onFault: (error) => {
        throw error;
      },
    });
    onTestFinished(() => upkeep.close());
    return upkeep;
  }

  it.each([
    ['by day', BEFORE_ANY],
    ['that tells use from refusal', BEFORE_USE],
    ['that counts requests', BEFORE_CORRECTIONS],
  ])('%s has the same sums before, and reads the roll-up for them once it is built', async (_what, version) => {
    const { database, page } = await upgraded(version);
    const before = await page();
    expect(before).toHaveLength(7);
    await expect(page({ force_optimize_projection: 1 })).rejects.toThrow();
    const told: [number, number][] = [];
    await start(database, told).finished;
    expect(await page({ force_optimize_projection: 1 })).toEqual(before);
    expect(told.map(([done]) => done)).toEqual([0, 500, 1_000, 1_500]);
    expect(await rows(`SELECT task, rows_done, rows_total, finished_at IS NULL FROM ${database}.upkeep FINAL`)).toEqual(
      [['calls_by_day_and_lane', 1_500, 1_500, 0]],
    );
    const [explained] = await rows<[string]>(
      `SELECT arrayStringConcat(groupArray(explain), '\n') FROM
         (EXPLAIN indexes = 1 SELECT id FROM ${database}.ledger WHERE session = 'nobody')`,
    );
    expect(explained?.[0]).toMatch(/by_session[^]*Parts: 0\/3/);
    expect(
      await rows(
        `SELECT name FROM system.projections WHERE database = '${database}' AND table = 'ledger' ORDER BY name`,
      ),
    ).toEqual([
      ['calls_by_day_and_lane'],
      ['spend_by_day_and_model'],
      ['spend_by_day_and_person'],
      ['spend_by_day_and_repository'],
    ]);
  });

  it('of spend reads people, repositories and models from theirs once they are built', async () => {
    const { database } = await upgraded(BEFORE_SPEND);
    const spent = (column: string, settings: Record<string, number> = {}) =>
      rows(
        `SELECT ${column}, cost_basis, sum(calls), toString(sum(cost_usd)) FROM ${database}.ledger
         WHERE toDate(seen_at) >= '2026-11-02' GROUP BY ${column}, cost_basis ORDER BY ${column}`,
        settings,
      );
    const columns = ['user', 'repo', 'model'];
    const before = await Promise.all(columns.map((column) => spent(column)));
    for (const column of columns) await expect(spent(column, { force_optimize_projection: 1 })).rejects.toThrow();
    await start(database).finished;
    expect(await Promise.all(columns.map((column) => spent(column, { force_optimize_projection: 1 })))).toEqual(before);
  });

  it('goes on with what is left after it was interrupted, and leaves a ledger that has it alone', async () => {
    const { database, page } = await upgraded();
    const before = await page();
    const interrupted: Upkeep = start(database, [], () => interrupted.close());
    await interrupted.finished;
    expect(await rows(`SELECT finished_at IS NULL FROM ${database}.upkeep FINAL`)).toEqual([[1]]);
    await start(database).finished;
    expect(await page({ force_optimize_projection: 1 })).toEqual(before);
    const told: [number, number][] = [];
    await start(database, told).finished;
    expect(told).toEqual([]);
  });
});
