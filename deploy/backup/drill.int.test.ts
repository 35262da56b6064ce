import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openBus } from '@lanewatch/ingest/contract';
import { createClient, type ClickHouseClient } from '@clickhouse/client';
import { expect, it } from 'vitest';
import { openLedger } from '../../detector/src/ledger/open.ts';
import { openDatabase } from '../../query-api/src/registry/database.ts';
import { migrateRegistry } from '../../query-api/src/registry/migrate.ts';
import { startEmbeddedClickHouse } from '../embedded/clickhouse/spawn.ts';
import { ensureSecrets, takeHome } from '../embedded/home.ts';
import { fillLedger } from '../load/ledger/fill.ts';
import { tempDir } from '../testing/helpers.ts';
import { backUp, restore } from './home.ts';

const TOPIC = 'lanewatch.usage.v1';
const NOW = new Date('2026-11-20T09:00:00Z');
const SHAPE = { rows: 5_000, lanes: 40, days: 3, seed: 5, nowMs: Date.UTC(2026, 10, 20, 9) };

/** What an operator compares after a restore: counts, standings, where the bus is read on, who is in the registry. */
interface Content {
  standings: unknown[];
  findings: unknown;
  resume: unknown;
  waiting: unknown;
  rules: unknown;
}

/** Runs the three embedded stores on a data directory while `work` looks at them. */
async function withStores<Result>(home: string, work: (stores: Stores) => Promise<Result>): Promise<Result> {
  takeHome(home).release();
  const { clickhousePassword: password } = ensureSecrets(home);
  const engine = await startEmbeddedClickHouse({ path: join(home, 'clickhouse'), password });
  const client = createClient({ url: engine.url, username: engine.user, password });
  const ledger = await openLedger({
    ...{ url: engine.url, user: engine.user, password, database: 'lanewatch' },
    ...{ engine: 'MergeTree', fsync: true, insertTimeoutMs: 20_000 },
  });
  const bus = await openBus(`lmdb:${home}/bus`);
  const registry = await openDatabase(`pglite:${home}/registry`);
  try {
    return await work({ client, ledger, bus, registry });
  } finally {
    await Promise.all([bus.close(), registry.close(), ledger.close(), client.close()]);
    await engine.stop();
  }
}

interface Stores {
  client: ClickHouseClient;
  ledger: Awaited<ReturnType<typeof openLedger>>;
  bus: Awaited<ReturnType<typeof openBus>>;
  registry: Awaited<ReturnType<typeof openDatabase>>;
}

async function fill({ client, ledger, bus, registry }: Stores): Promise<void> {
  await ledger.claim([...Array(12).keys()], 'loader');
  await fillLedger(client, 'lanewatch', SHAPE, new Map([[0, 'cred-0']]));
  await bus.ensureTopics([{ name: TOPIC, partitions: 1, compacted: false }]);
  await bus.publish(TOPIC, [{ key: null, value: Buffer.from('on its way'), partition: 0 }]);
  await migrateRegistry(registry.db);
  await registry.db
    .insertInto('rule_settings')
    .values({ rule: 'R01', version: 1, effective_from: NOW, settings: '{}', set_at: NOW, set_by: 'ada', sent_at: null })
    .execute();
}

async function contentOf({ client, ledger, bus, registry }: Stores): Promise<Content> {
  const rows = async (query: string) => (await client.query({ query, format: 'JSONCompactEachRow' })).json<unknown[]>();
  return {
    standings: await rows(
      `SELECT standing, count(), sum(cost_usd), sum(cityHash64(tuple(*))) FROM lanewatch.ledger GROUP BY standing ORDER BY standing`,
    ),
    findings: await rows(`SELECT count(), sum(cityHash64(tuple(*))) FROM lanewatch.findings FINAL`),
    resume: [...(await ledger.resumeOffsets([...Array(12).keys()]))].sort(([one], [other]) => one - other),
    waiting: await bus.lag(TOPIC, 'lanewatch-detector'),
    rules: await registry.db.selectFrom('rule_settings').select(['rule', 'set_by', 'effective_from']).execute(),
  };
}

it('a backup that is restored elsewhere, the old place gone, has the same rows, standings, findings, offsets and registry', async () => {
  const before = join(await tempDir(), 'before');
  const after = join(await tempDir(), 'after');
  const backup = join(await tempDir(), 'backup');
  const content = await withStores(before, async (stores) => {
    await fill(stores);
    return contentOf(stores);
  });
  expect(content.standings).toHaveLength(2);
  await backUp({ LANEWATCH_HOME: before }, backup);
  await rm(before, { recursive: true });
  await restore({ LANEWATCH_HOME: after }, backup);
  expect(await withStores(after, contentOf)).toEqual(content);
});
