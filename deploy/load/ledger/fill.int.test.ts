import { createClient, type ClickHouseClient } from '@clickhouse/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  openTestLedger,
  startTestEngine,
  type TestEngine,
  type TestLedger,
} from '../../../detector/src/ledger/testing.ts';
import { fillLedger, type LedgerShape } from './fill.ts';

const SHAPE: LedgerShape = { rows: 10_000, lanes: 50, days: 4, seed: 7, nowMs: Date.UTC(2026, 10, 20, 9, 30) };
const PARTITIONS = 12;

let engine: TestEngine;
let client: ClickHouseClient;
const ledgers: TestLedger[] = [];

async function filled(shape: LedgerShape): Promise<TestLedger> {
  const test = await openTestLedger(engine);
  ledgers.push(test);
  await test.ledger.claim(
    Array.from({ length: PARTITIONS }, (_unused, partition) => partition),
    'loader',
  );
  await fillLedger(client, test.database, shape, new Map([[0, 'cred-0']]));
  return test;
}

/** Two sums over whole rows and findings, whatever order they lie in. */
const contentOf = (test: TestLedger) =>
  test.rows(`SELECT count(), sum(cityHash64(tuple(* EXCEPT (claimant)))), sum(cost_usd),
    (SELECT (count(), sum(cityHash64(id, occurrences, first_seen))) FROM {database}.findings FINAL) FROM {database}.ledger`);

beforeAll(async () => {
  engine = await startTestEngine();
  client = createClient({ url: engine.url, username: engine.user, password: engine.password });
});
afterAll(async () => {
  for (const test of ledgers) await test.close();
  await client.close();
  await engine.stop();
});

it('the same seed at the same time writes the same ledger, another seed another one', async () => {
  const [first, again, other] = [await filled(SHAPE), await filled(SHAPE), await filled({ ...SHAPE, seed: 8 })];
  const content = await contentOf(first);
  expect(await contentOf(again)).toEqual(content);
  expect(await contentOf(other)).not.toEqual(content);
});

it('what the pages sum equals the rows, no row lies outside its days or beside its place on the bus', async () => {
  const test = await filled(SHAPE);
  const sums = `sum(calls) AS events, sum(cost_usd) AS cost, uniqExactIf(session, session != '') AS sessions,
    uniqExactIf(user, user != '') AS users, sumIf(calls, standing IN ('revoked', 'expired')) AS retired`;
  const byLane = await test.rows(
    `SELECT lane, ${sums} FROM {database}.ledger WHERE toDate(seen_at) >= '2026-11-18' GROUP BY lane ORDER BY lane
     SETTINGS force_optimize_projection = 1, optimize_empty_string_comparisons = 0`,
  );
  const fromRows = await test.rows(
    `SELECT lane, ${sums} FROM {database}.ledger WHERE seen_at >= '2026-11-18 00:00:00' GROUP BY lane ORDER BY lane
     SETTINGS optimize_use_projections = 0`,
  );
  expect(byLane).toEqual(fromRows);
  expect(byLane.length).toBeGreaterThan(40);
  expect(
    await test.rows(
      `SELECT count(), toString(min(seen_at) >= '2026-11-17 00:00:00'), max(seen_at) < '2026-11-20 09:30:00.000',
         countIf(seen_at > received_at OR received_at > stored_at), count() - uniqExact(kafka_partition, kafka_offset, record_index),
         count() - uniqExact(source, id), uniqExact(lane) = uniqExact(lane, kafka_partition), max(kafka_partition) < ${PARTITIONS}
       FROM {database}.ledger`,
    ),
  ).toEqual([[10_000, '1', 1, 0, 0, 0, 1, 1]]);
  expect(
    await test.rows(
      `SELECT count() FROM {database}.findings AS found FINAL
       INNER JOIN (SELECT arrayJoin(findings) AS id, count() AS carried FROM {database}.ledger GROUP BY id) AS rows USING id
       WHERE found.occurrences != rows.carried`,
    ),
  ).toEqual([[0]]);
  expect(await test.ledger.resumeOffsets([0, 1, 2])).toHaveProperty('size', 3);
});
