import { readdirSync, readFileSync } from 'node:fs';
import { createClient } from '@clickhouse/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fingerprintOf } from '@lanewatch/ingest/contract';
import { startHarness, type Harness } from '../../query-api/src/testing/harness.ts';
import { startEmbeddedClickHouse, type EmbeddedClickHouse } from '../embedded/clickhouse/spawn.ts';
import { makeTempDir, removeDir } from '../testing/helpers.ts';
import type { AnalystConnection } from './connection.ts';
import { isThere } from './fetched.ts';
import { TOOLS } from './tools.ts';

/** The others take a minute to install or build: `npm run -s lanewatch -- analyst --try` asks with them. */
const ASKED_HERE = TOOLS.filter(({ name }) => name !== 'dbt' && name !== 'clickhouse-go');
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

interface Dashboard {
  uid: string;
  panels: { id: number; title: string; gridPos: { x: number; w: number }; targets: Target[] }[];
}
interface Target {
  datasource: { uid: string };
  rawSql: string;
}
const GRAFANA = new URL('../grafana/analyst/', import.meta.url);
const dashboards = readdirSync(new URL('dashboards/', GRAFANA))
  .filter((name) => name.endsWith('.json'))
  .map((name) => JSON.parse(readFileSync(new URL(`dashboards/${name}`, GRAFANA), 'utf8')) as Dashboard);
/** A query as Grafana's plug-in sends it: its macros stand for the chosen time and step. */
const sent = (sql: string): string =>
  sql
    .replace(/\$__timeFilter\(([\w.]+)\)/g, '$1 >= toDateTime(0) AND $1 <= toDateTime(4000000000)')
    .replace(/\$__timeInterval\(([\w.]+)\)/g, 'toStartOfInterval(toDateTime($1), INTERVAL 3600 second)');

test.each(dashboards.map((one) => [one.uid, one] as const))(
  'every panel of the dashboard %s is answered to the user that may only read, from the data source beside it',
  async (_uid, { panels }) => {
    const source = readFileSync(new URL('datasources/lanewatch.yaml', GRAFANA), 'utf8');
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const { url, user: username, password, database } = connection;
    const client = createClient({ url, username, password, database });
    for (const { title, gridPos, targets } of panels) {
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
      for (const { datasource, rawSql } of targets) {
        expect(source, title).toContain(`uid: ${datasource.uid}`);
        const query = sent(rawSql);
        expect(query, title).not.toContain('$');
        const answer = await client.query({ query, format: 'JSONCompact' }).catch((error: unknown) => {
          throw new Error(`${title}: ${String(error)}`);
        });
        expect((await answer.json<unknown[]>()).meta!.length, title).toBeGreaterThan(0);
      }
    }
    await client.close();
  },
);
