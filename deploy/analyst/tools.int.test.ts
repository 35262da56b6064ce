import { afterAll, beforeAll, expect, test } from 'vitest';
import { fingerprintOf } from '@lanewatch/ingest/contract';
import { startHarness, type Harness } from '../../query-api/src/testing/harness.ts';
import { startEmbeddedClickHouse, type EmbeddedClickHouse } from '../embedded/clickhouse/spawn.ts';
import { makeTempDir, removeDir } from '../testing/helpers.ts';
import type { AnalystConnection } from './connection.ts';
import { isThere } from './fetched.ts';
import { TOOLS } from './tools.ts';

/** dbt is a minute of installing: `npm run -s lanewatch -- analyst --try` asks with it. */
const ASKED_HERE = TOOLS.filter(({ name }) => name !== 'dbt');
const FETCH_TIMEOUT_MS = 300_000;

let home: string;
let engine: EmbeddedClickHouse;
let api: Harness;
let connection: AnalystConnection;
beforeAll(async () => {
  home = await makeTempDir();
  engine = await startEmbeddedClickHouse({ path: home });
  const { url, user, password, database, analystPassword } = engine;
  api = await startHarness({ engine: { url, user, password }, ledgerDatabase: database });
  const key = { fingerprint: fingerprintOf('a key'), hint: 'sk-ant-...C001', lane: fingerprintOf('a key') };
  const people = ['', 'ada@example.com', 'ada@example.com', 'zoë@example.com'];
  await api.storeRows(people.map((user, at) => ({ ...key, user, cost_nano_usd: 1_234_567_891 + at })));
  connection = { url, user: 'analyst', password: analystPassword, database };
});
afterAll(async () => {
  await api.close();
  await engine.kill();
  await removeDir(home);
});

const there = await Promise.all(
  ASKED_HERE.map(async ({ needs }) => (await Promise.all(needs.map((one) => isThere(...one)))).every(Boolean)),
);

ASKED_HERE.forEach(({ name, ask }, index) => {
  test.skipIf(!there[index])(
    `${name}, as its registry serves it, reads the views exactly, to the last digit`,
    async () => {
      expect(await ask(connection)).toEqual([
        ['', 1, '1.234567891'],
        ['ada@example.com', 2, '2.469135785'],
        ['zoë@example.com', 1, '1.234567894'],
      ]);
    },
    FETCH_TIMEOUT_MS,
  );
});
