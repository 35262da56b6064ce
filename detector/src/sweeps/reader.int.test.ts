import { afterAll, beforeAll, expect, it } from 'vitest';
import { insertRows, ledgerRow, startTestLedger, STORED_AT, type TestLedger } from '../ledger/testing.ts';
import { createFloodGuard, floodIdOf } from '../findings/flood-guard.ts';
import { createSweepReader, dayStartMs, type SweepReader } from './reader.ts';
import { DAY_MS, type Guards } from './sweep.ts';

const HOUR = 3_600_000;
let test: TestLedger;
let reader: SweepReader;

beforeAll(async () => {
  test = await startTestLedger();
  reader = createSweepReader(test.client, test.database);
  await test.ledger.claim([0], 'first');
  const row = (changes: object, kafka_offset: number) => ({
    ...ledgerRow(changes),
    cost_nano_usd: 1_500_000_000,
    kafka_offset,
  });
  await insertRows(test.ledger, [
    row({ lane: 'one', seen_at: STORED_AT - HOUR }, 0),
    row({ lane: 'one', seen_at: STORED_AT - 3 * DAY_MS }, 1),
    row({ lane: 'two', seen_at: STORED_AT - 20 * DAY_MS, credential_id: 'credential-2', collector: '' }, 2),
  ]);
});
afterAll(() => test.close());

it('reads last uses, spend by period and hours of collectors as the ledger has them', async () => {
  const [today, week, month] = [dayStartMs(STORED_AT), STORED_AT - 4 * DAY_MS, STORED_AT - 19 * DAY_MS];
  expect(await reader.lastUses()).toEqual(
    new Map([
      ['one', STORED_AT - HOUR],
      ['two', STORED_AT - 20 * DAY_MS],
    ]),
  );
  expect(await reader.spends([today, dayStartMs(week), dayStartMs(month)])).toEqual(
    new Map([['one', [1_500_000_000, 3_000_000_000, 3_000_000_000]]]),
  );
  expect(await reader.collectorHours(STORED_AT - DAY_MS)).toEqual([
    { collector: 'collector-1', hourMs: STORED_AT - HOUR, minutes: 1, lastMs: STORED_AT - 1_000 },
  ]);
});

it('holds what providers bill against what was observed, the newest import of a day, also where it counts under the key of a gateway', async () => {
  const report = { ...ledgerRow({ lane: 'three', credential_id: 'credential-9' }), cost_nano_usd: 500_000_000 };
  const takenBack = { ...report, id: 'reversal', calls: -1, cost_nano_usd: -500_000_000 };
  await insertRows(test.ledger, [
    { ...report, kafka_offset: 3 },
    { ...takenBack, kafka_offset: 4, flags: ['other_key', 'correction'] },
  ]);
  const day = new Date(STORED_AT).toISOString().slice(0, 10);
  for (const billed of [9, 12])
    await test.client.command({
      query: `INSERT INTO ${test.database}.provider_totals (credential_id, provider, day, billed_usd) VALUES
        ('credential-1', 'anthropic', '${day}', ${billed}), ('credential-9', 'anthropic', '${day}', 1)`,
    });
  const coverage = await reader.coverage(STORED_AT - DAY_MS);
  expect(coverage.sort((a, b) => a.credentialId.localeCompare(b.credentialId))).toEqual([
    { credentialId: 'credential-1', dayMs: dayStartMs(STORED_AT), billedUsd: 12, observedUsd: 1.5 },
    { credentialId: 'credential-9', dayMs: dayStartMs(STORED_AT), billedUsd: 1, observedUsd: 0.5 },
  ]);
});

it('counts the rows on which there was too much of a rule by the finding that they carry, and the keys that they are of', async () => {
  const flood = createFloodGuard({ findingsMax: 1, windowMs: HOUR });
  const rows = [0, 1, 2, 3].map((number) => ({
    ...ledgerRow({ lane: `invented-${number % 3}`, collector: `it's`, kafka_offset: 10 + number }),
  }));
  for (const row of rows)
    flood.admit(row, { rule: 'R01', id: `R01-${'0'.repeat(24)}`, key: 'hint', severity: 'medium' });
  await insertRows(test.ledger, rows);
  const id = floodIdOf('R01', `it's`, dayStartMs(STORED_AT));
  expect(await reader.floodsSince(STORED_AT)).toEqual([id]);
  expect(await reader.floodsSince(STORED_AT + 1)).toEqual([]);
  expect(await reader.floods([id])).toMatchObject([{ id, collector: `it's`, severity: 'medium', rows: 3, lanes: 3 }]);
  // A restart knows what was raised, and takes what was counted for no finding of a lane.
  const raised: string[][] = [];
  await test.ledger.restoreRaisings([0], STORED_AT, ({ evidence }) => raised.push(evidence));
  expect(raised).toEqual([[`+R01/hint/medium R01-${'0'.repeat(24)}`]]);
});

it('remembers the guards of keys, the latest state of each', async () => {
  const guards: Guards = { privileged: false, scopes: [], allowed_cidrs: ['10.0.0.0/8'], has_budget: true };
  await reader.writeGuards(new Map([['one', guards]]), STORED_AT);
  await reader.writeGuards(new Map([['one', { ...guards, has_budget: false }]]), STORED_AT + 1);
  expect(await reader.guards()).toEqual(new Map([['one', { ...guards, has_budget: false }]]));
});
