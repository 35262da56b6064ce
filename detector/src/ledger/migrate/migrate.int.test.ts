import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClickHouseClient } from '@clickhouse/client';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { tempDir, uniqueName } from '../../../../deploy/testing/helpers.ts';
import { LEDGER_COLUMNS } from '../../../contract/index.ts';
import { connect } from '../clickhouse.ts';
import { startTestEngine, type TestEngine } from '../testing.ts';
import { migrate, type MigrateOptions } from './migrate.ts';
import { MIGRATIONS_DIRECTORY, readMigrations } from './migration-files.ts';

describe('migrate', () => {
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

  function freshOptions(changes: Partial<MigrateOptions> = {}): MigrateOptions {
    const database = uniqueName('migrate_test');
    onTestFinished(async () => {
      await client.command({ query: `DROP DATABASE IF EXISTS ${database} SYNC` });
    });
    const { user, password } = engine;
    return { database, engine: 'MergeTree', fsync: true, user, password, ...changes };
  }

  async function rows<Row>(query: string): Promise<Row[]> {
    return (await client.query({ query, format: 'JSONCompactEachRow' })).json<Row>();
  }

  /** The first of the repository's migrations, with others behind it. */
  async function directoryWith(files: Record<string, string>): Promise<string> {
    const directory = join(await tempDir(), 'migrations');
    mkdirSync(directory);
    copyFileSync(join(MIGRATIONS_DIRECTORY, '001_ledger.sql'), join(directory, '001_ledger.sql'));
    for (const [name, sql] of Object.entries(files)) writeFileSync(join(directory, name), sql);
    return directory;
  }

  it('makes the ledger with the columns of the contract, in their order', async () => {
    const options = freshOptions();
    await migrate(client, options);
    const columns = await rows<[string, string, string]>(
      `SELECT name, type, comment FROM system.columns WHERE database = '${options.database}' AND table = 'ledger' ORDER BY position`,
    );
    expect(columns).toEqual(LEDGER_COLUMNS.map(({ name, type, comment }) => [name, type, comment]));
  });

  it.each([true, false])('syncs inserts to disk as told: %s', async (fsync) => {
    const options = freshOptions({ fsync });
    await migrate(client, options);
    const [table] = await rows<[string]>(
      `SELECT engine_full FROM system.tables WHERE database = '${options.database}' AND name = 'ledger'`,
    );
    expect(table?.[0].includes('fsync_after_insert = 1')).toBe(fsync);
    expect(table?.[0].includes('fsync_part_directory = 1')).toBe(fsync);
  });

  it('syncs inserts to disk as told now, on a ledger that was told otherwise before', async () => {
    const options = freshOptions({ fsync: false });
    await migrate(client, options);
    for (const fsync of [true, false, true]) {
      await migrate(client, { ...options, fsync });
      const [table] = await rows<[string]>(
        `SELECT engine_full FROM system.tables WHERE database = '${options.database}' AND name = 'ledger'`,
      );
      expect(table?.[0].includes('fsync_after_insert = 1'), `told ${fsync}`).toBe(fsync);
      expect(table?.[0].includes('fsync_part_directory = 1'), `told ${fsync}`).toBe(fsync);
    }
  });

  it('refuses a ledger that was made with another engine than it is told to have', async () => {
    const options = freshOptions();
    await migrate(client, options);
    const engine = "ReplicatedMergeTree('/tables/{shard}/ledger', '{replica}')";
    await expect(migrate(client, { ...options, engine })).rejects.toThrow(
      `The ledger in database ${options.database} has engine MergeTree, LEDGER_ENGINE says ReplicatedMergeTree(`,
    );
  });

  it('comes to the same end when four detectors start at once, and again later', async () => {
    const options = freshOptions();
    await Promise.all([1, 2, 3, 4].map(() => migrate(client, options)));
    await migrate(client, options);
    const versions = await rows<[number]>(`SELECT DISTINCT version FROM ${options.database}.schema_migrations`);
    expect(versions.flat().sort((one, other) => one - other)).toEqual(
      readMigrations(MIGRATIONS_DIRECTORY).map(({ version }) => version),
    );
  });

  it('applies what is new and leaves what is there', async () => {
    const options = freshOptions();
    await migrate(client, { ...options, directory: await directoryWith({}) });
    const directory = await directoryWith({
      '002_note.sql': "ALTER TABLE {database}.findings ADD COLUMN IF NOT EXISTS note String COMMENT 'More';\n",
    });
    await migrate(client, { ...options, directory });
    const columns = await rows<[string]>(
      `SELECT comment FROM system.columns WHERE database = '${options.database}' AND table = 'findings' AND name = 'note'`,
    );
    expect(columns).toEqual([['More']]);
  });

  it('applies a migration whose number was left out before', async () => {
    const options = freshOptions();
    const note = "ALTER TABLE {database}.findings ADD COLUMN IF NOT EXISTS note String COMMENT 'More';\n";
    const more = "ALTER TABLE {database}.findings ADD COLUMN IF NOT EXISTS more String COMMENT 'More';\n";
    await migrate(client, { ...options, directory: await directoryWith({ '020_note.sql': note }) });
    const directory = await directoryWith({ '006_more.sql': more, '020_note.sql': note });
    await migrate(client, { ...options, directory });
    const columns = await rows<[string]>(
      `SELECT name FROM system.columns WHERE database = '${options.database}' AND table = 'findings' AND comment = 'More'`,
    );
    expect(columns.flat().sort()).toEqual(['more', 'note']);
  });

  it('goes on where a failed migration stopped once it is mended', async () => {
    const options = freshOptions();
    const broken = await directoryWith({
      '002_more.sql':
        "CREATE TABLE IF NOT EXISTS {database}.more (a UInt8 COMMENT 'A') ENGINE = MergeTree ORDER BY a;\nALTER TABLE {database}.absent ADD COLUMN IF NOT EXISTS b UInt8;\n",
    });
    await expect(migrate(client, { ...options, directory: broken })).rejects.toThrow(
      'Statement 2 of 002_more.sql failed:',
    );
    const mended = await directoryWith({
      '002_more.sql':
        "CREATE TABLE IF NOT EXISTS {database}.more (a UInt8 COMMENT 'A') ENGINE = MergeTree ORDER BY a;\n",
    });
    await migrate(client, { ...options, directory: mended });
    const versions = await rows<[number]>(`SELECT version FROM ${options.database}.schema_migrations ORDER BY version`);
    expect(versions).toEqual([[1], [2]]);
  });

  it('refuses a database that a newer program has migrated', async () => {
    const options = freshOptions();
    const directory = await directoryWith({
      '002_next.sql':
        "CREATE TABLE IF NOT EXISTS {database}.next (a UInt8 COMMENT 'A') ENGINE = MergeTree ORDER BY a;\n",
    });
    await migrate(client, { ...options, directory });
    await expect(migrate(client, { ...options, directory: await directoryWith({}) })).rejects.toThrow(
      'has migration 2, which this program does not know: start the newer program',
    );
  });

  it('refuses to go on when an applied migration was changed', async () => {
    const options = freshOptions();
    const before = await directoryWith({
      '002_a.sql': 'CREATE TABLE IF NOT EXISTS {database}.a (a UInt8) ENGINE = Log;\n',
    });
    const after = await directoryWith({
      '002_a.sql': 'CREATE TABLE IF NOT EXISTS {database}.a (b UInt8) ENGINE = Log;\n',
    });
    await migrate(client, { ...options, directory: before });
    await expect(migrate(client, { ...options, directory: after })).rejects.toThrow('002_a.sql was changed after');
  });

  it('names a ledger column that the contract has and the table lacks', async () => {
    const options = freshOptions();
    await migrate(client, options);
    await client.command({ query: `ALTER TABLE ${options.database}.ledger DROP COLUMN latency_ms` });
    await expect(migrate(client, options)).rejects.toThrow('lacks latency_ms UInt32');
  });

  it('makes a claims dictionary that can read', async () => {
    const options = freshOptions();
    await migrate(client, options);
    await client.command({ query: `SYSTEM RELOAD DICTIONARY ${options.database}.claims_by_partition` });
    const [claim] = await rows<[string]>(
      `SELECT dictGet('${options.database}.claims_by_partition', 'claimant', toUInt64(1))`,
    );
    expect(claim).toEqual(['']);
  });
});
