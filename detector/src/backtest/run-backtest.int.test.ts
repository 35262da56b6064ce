import { fingerprintOf } from '@lanewatch/ingest/contract';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { backtestRequestSchema, type BacktestResult, type RuleId } from '../../contract/index.ts';
import { insertRows, ledgerRow, startTestLedger, STORED_AT, type TestLedger } from '../ledger/testing.ts';
import { createBacktests, startWorker, type BacktestProgress } from './backtests.ts';
import { backtestsTable } from './backtests-table.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
let test: TestLedger;

beforeAll(async () => {
  test = await startTestLedger();
  await test.ledger.claim([0], 'first');
  // Three keys used from one address that nobody is known behind, six hours apart, with a line feed and a quote in a name.
  const rows = ['one', 'two', 'three'].flatMap((name, index) =>
    [0, 1].map((hour) => {
      const seen = STORED_AT - 8 * HOUR + index * 2 * HOUR + hour * 60_000;
      return ledgerRow({
        ...{ lane: fingerprintOf(name), fingerprint: fingerprintOf(name), standing: 'unknown', match: 'none' },
        ...{ ip: '203.0.113.9', host: '', user: '', agent: 'a "b"\nc', credential_id: '', cost_nano_usd: 3e9 },
        ...{ seen_at: seen, time: seen, received_at: seen + 100, kafka_offset: index * 2 + hour },
      });
    }),
  );
  // Live, a rule never sees what joins reports of one request.
  const joins = JSON.stringify([['test', 'event-1']]);
  const entry = { ...rows[0]!, id: 'entry', joins, kafka_offset: rows.length };
  await insertRows(test.ledger, [
    ...rows,
    entry,
    { ...entry, id: 'reversal', calls: -1, kafka_offset: rows.length + 1 },
  ]);
});
afterAll(() => test.close());

/** Has a rule tried in a thread, as the detector does, and answers what was written of it. */
async function tried(rule: RuleId, parameters: Record<string, number>): Promise<BacktestProgress> {
  const request = backtestRequestSchema.parse({
    ...{ id: `${rule}-try`, requested_at: new Date(STORED_AT).toISOString(), cancelled: false, present: null },
    ...{ from: new Date(STORED_AT - DAY).toISOString(), to: new Date(STORED_AT).toISOString() },
    settings: {
      ...{ rule, version: 1, effective_from: new Date(0).toISOString(), enabled: true, mode: 'notify', severity: '' },
      ...{ parameters, orgs: [], projects: [], environments: [] },
    },
  });
  const { url, user, password } = test.options;
  const table = backtestsTable(test.client, test.database, Date.now);
  return new Promise((resolve, reject) => {
    const backtests = createBacktests({
      ...table,
      async write(progress) {
        await table.write(progress);
        if (progress.state !== 'running') resolve(progress);
      },
      ...{ isOurs: () => true, now: () => STORED_AT, onFault: reject },
      start: (own, onNews) =>
        startWorker(
          {
            ...{ request: own, endpoint: { url, user, password }, database: test.database, records: [], overrides: {} },
            ...{ geoFile: '', asnFile: '', lanesMax: 1_000, valuesPerLane: 8 },
          },
          onNews,
        ),
    });
    backtests.take(Buffer.from(JSON.stringify(request)));
    void backtests.tick();
  });
}

it('tries a rule over what is stored, lane by lane and across lanes, and leaves the outcome in the ledger’s database', async () => {
  const spend = await tried('R01', { spend_usd: 20, live_spend_usd: 20 });
  expect(spend).toMatchObject({ state: 'done', rowsDone: 6, rowsTotal: 6, problem: '' });
  expect(spend.result).toMatchObject({
    tried: { findings: 3, occurrences: 6, by_severity: { high: 3, critical: 0 } },
    present: { findings: 3, by_severity: { high: 0, critical: 3 } },
    ...{ both: 3, other_severity: 3, more_count: 0, fewer_count: 0 },
  });
  const address = await tried('R25', { window_ms: 5 * HOUR });
  expect(address.result).toMatchObject({
    ...{ tried: { findings: 1 }, present: { findings: 0 }, more_count: 1 },
    more: [{ rule: 'R25', lane: fingerprintOf('three'), facts: { keys: 3, endpoint: '203.0.113.9' } }],
  });
  const stored = await test.rows<[string, string, string]>(
    'SELECT id, state, result FROM {database}.backtests FINAL ORDER BY id',
  );
  expect(stored.map(([id, state]) => [id, state])).toEqual([
    ['R01-try', 'done'],
    ['R25-try', 'done'],
  ]);
  expect((JSON.parse(stored[1]![2]) as BacktestResult).more_count).toBe(1);
});
