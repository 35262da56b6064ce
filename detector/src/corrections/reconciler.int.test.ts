import type { BusRecord, OutgoingRecord } from '@lanewatch/ingest/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { insertRows, ledgerRow, startTestLedger, type TestLedger } from '../ledger/testing.ts';
import { decodeRecord } from '../pipeline/decode.ts';
import { reconcile } from './reconciler.ts';
import { createReportReader } from './reports.ts';

let opened: TestLedger;
beforeAll(async () => {
  opened = await startTestLedger();
});
afterAll(() => opened.close());

const NOW = Date.UTC(2026, 10, 20, 12);
const REQUESTS = 20;

test('a reconciler killed at every record it publishes joins what agent and proxy report, in rows, roll-up and views alike', async () => {
  const { ledger, client, database } = opened;
  await ledger.claim([0], 'first');
  let offset = 0;
  const known = new Set<string>();
  /** As the detector does: what was stored under an identity is not stored again. */
  const store = async (rows: ReturnType<typeof decodeRecord>['rows']): Promise<void> => {
    const fresh = rows.filter(({ source, id }) => !known.has(`${source}\n${id}`));
    for (const { source, id } of fresh) known.add(`${source}\n${id}`);
    const placed = { stored_at: NOW, claimant: 'first', event_hash_low: 1, event_hash_high: 1, kafka_partition: 0 };
    if (fresh.length > 0)
      await insertRows(
        ledger,
        fresh.map((row) => ({ ...row, ...placed, lane: row.fingerprint || 'unattributed', kafka_offset: offset++ })),
      );
  };
  const numbers = Array.from({ length: REQUESTS }, (_, number) => number);
  await store(
    numbers.flatMap((number) => {
      const own = { request_id: `req_${number}`, session: `s-${number % 4}`, time: NOW - 60_000 + number * 1_000 };
      const seen = { ...own, seen_at: own.time, received_at: NOW - 10_000 };
      return [
        ledgerRow({
          ...seen,
          ...{ id: `a-${number}`, reporter: 'agent', fingerprint: '', hint: '', standing: 'unattributed' },
        }),
        ledgerRow({
          ...seen,
          ...{ id: `p-${number}`, source: 'proxy', reporter: 'proxy', user: '', repo: '', cost_nano_usd: 1 },
        }),
      ];
    }),
  );

  const reader = createReportReader(client, database);
  let records: OutgoingRecord[] = [];
  let kills = 0;
  for (;;) {
    let left = kills % 7;
    const publish = async (some: OutgoingRecord[]): Promise<void> => {
      records.push(...some.slice(0, left));
      left -= some.length;
      if (left < 0) throw new Error('killed');
    };
    const isThrough = await reconcile({ reader, publish }, NOW - 60_000, NOW + 1).then(
      (corrections) => corrections === 0,
      () => false,
    );
    const stored = records.map((record): BusRecord => ({
      ...{ partition: 0, offset: 0, timestamp: 0, key: record.key, headers: record.headers! },
      value: Buffer.from(record.value),
    }));
    await store(stored.flatMap((record) => decodeRecord(record, NOW).rows));
    records = [];
    if (isThrough) break;
    kills++;
  }
  expect(kills).toBeGreaterThan(REQUESTS / 4);

  const sums = 'sum(calls), toString(sum(cost_usd)), sum(tokens_output)';
  const expected = [REQUESTS, '0.24691356', 50 * REQUESTS];
  for (const settings of ['optimize_use_projections = 0', 'force_optimize_projection = 1'])
    expect(await opened.rows(`SELECT ${sums} FROM {database}.ledger SETTINGS ${settings}`)).toEqual([expected]);
  const byLane = await opened.rows<[string, number]>(
    'SELECT lane, sum(calls) FROM {database}.ledger GROUP BY lane ORDER BY lane',
  );
  expect(byLane).toEqual([
    ['a'.repeat(64), REQUESTS],
    ['unattributed', 0],
  ]);
  expect(
    await opened.rows('SELECT person, sum(calls), sum(tokens) FROM {database}.usage GROUP BY person ORDER BY person'),
  ).toEqual([
    ['', 0, 0],
    ['ada@acme.example', REQUESTS, 20_150 * REQUESTS],
  ]);
  expect(await opened.rows('SELECT sum(calls) FROM {database}.sessions')).toEqual([[REQUESTS]]);
});
