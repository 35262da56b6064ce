import { credentialRecordSchema, fingerprintOf, type CredentialRecord } from '@lanewatch/ingest/contract';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { simulate } from '../../sim/simulate.ts';
import { createWatcher } from '../../sim/watch.ts';
import { backtestRequestSchema, type BacktestResult, type LedgerRow, type RuleId } from '../../contract/index.ts';
import {
  insertRows,
  ledgerRow,
  openTestLedger,
  startTestLedger,
  STORED_AT,
  type TestLedger,
} from '../ledger/testing.ts';
import { createBacktests, startWorker, type BacktestProgress } from './backtests.ts';
import { backtestsTable } from './backtests-table.ts';
import { createLaneStates } from '../lane-state/lane-states.ts';
import { openPlaces } from '../networks/places.ts';
import { rulesInForce, windowMsOf } from '../rules/index.ts';
import { credentialsOf, runBacktest } from './run-backtest.ts';
import { createTrial } from './trial.ts';

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
async function tried(
  rule: RuleId,
  parameters: Record<string, number>,
  records: CredentialRecord[] = [],
): Promise<BacktestProgress> {
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
            ...{ request: own, endpoint: { url, user, password }, database: test.database, records, overrides: {} },
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

it('tries a rule that a job decides over registry and ledger as they are now', async () => {
  const key = (name: string, days: number) =>
    credentialRecordSchema.parse({
      ...{
        id: name,
        name,
        fingerprint: fingerprintOf(name),
        hint: '',
        kind: 'registered',
        status: 'active',
        version: 1,
      },
      created_at: new Date(STORED_AT - days * DAY).toISOString(),
    });
  // The ledger knows a use of the first, hours ago.
  const { result, rowsTotal } = await tried('R18', { idle_days: 30 }, [
    key('one', 400),
    key('four', 45),
    key('five', 95),
  ]);
  expect(rowsTotal).toBe(3);
  expect(result).toMatchObject({
    ...{ tried: { findings: 2 }, present: { findings: 1 }, both: 1, more_count: 1, fewer_count: 0 },
    more: [{ rule: 'R18', credential_id: 'four' }],
  });
});

it('finds of every rule in the rows that it reads what it finds in all of them', async () => {
  const { records, rows } = await simulated();
  const fromMs = Math.min(...rows.map(({ seen_at }) => seen_at)) + DAY;
  const toMs = Math.max(...rows.map(({ seen_at }) => seen_at)) + 1;
  const own = await openTestLedger(test.options);
  onTestFinished(() => own.close());
  await own.ledger.claim([0], 'simulated');
  await insertRows(own.ledger, rows);
  const places = openPlaces({ geoFile: '', asnFile: '' });
  // Sooner than by default, in so few days.
  const overrides = { R07: { history_ms: DAY, lane_age_ms: DAY }, R16: { refused: 1 } };
  const rules = rulesInForce(overrides, places);
  const shared = { records, overrides, places, lanesMax: 1_000, valuesPerLane: 32 };
  const found: string[] = [];
  for (const rule of rules.filter(({ id }) => !READ_AS_R07.includes(id))) {
    const isLaneByLane = !['R12', 'R25', 'R29'].includes(rule.id);
    const trial = createTrial({
      ...{ tried: rule, present: rule, fromMs, isLaneByLane, credentialOf: credentialsOf(records) },
      lanes: createLaneStates({ ...shared, windowMs: windowMsOf(rules) }),
      others: rule.id === 'R29' ? rules.filter(({ id }) => id !== 'R29') : [],
    });
    const order = (one: LedgerRow, other: LedgerRow) =>
      (isLaneByLane ? Buffer.compare(Buffer.from(one.lane), Buffer.from(other.lane)) : 0) ||
      one.seen_at - other.seen_at;
    for (const row of rows.toSorted(order)) trial.take(row);
    const settings = {
      ...{ rule: rule.id, version: 1, effective_from: new Date(0).toISOString(), enabled: true, mode: 'notify' },
      ...{ severity: '', parameters: {}, orgs: [], projects: [], environments: [] },
    };
    const [from, to] = [new Date(fromMs).toISOString(), new Date(toMs).toISOString()];
    const result = await runBacktest({
      ...{ ...shared, client: own.client, database: own.database, onProgress: () => undefined },
      request: backtestRequestSchema.parse({
        ...{ id: 'try', requested_at: to, cancelled: false, settings, present: null, from, to },
      }),
      signal: AbortSignal.timeout(60_000),
    });
    expect({ rule: rule.id, ...result }).toEqual({ rule: rule.id, ...trial.finish() });
    if (result.present.findings > 0) found.push(rule.id);
  }
  expect(found).toEqual(expect.arrayContaining(FOUND));
});

/** A few days of an organisation, of which the lanes of incidents are taken, those of whom they are about, and some others. */
async function simulated() {
  const { items, labels, fromMs } = simulate({ seed: 5, days: 5, learnDays: 1, people: 60 });
  const records: CredentialRecord[] = [];
  const all: LedgerRow[] = [];
  const watcher = createWatcher(fromMs, {}, (row) => all.push(row));
  for (const item of items()) {
    if (item.kind === 'record') records.push(item.record);
    await watcher.take(item);
  }
  const labelled = new Set(labels.flatMap(({ lanes }) => lanes));
  const people = new Set(all.flatMap(({ lane, user }) => (labelled.has(lane) && user !== '' ? [user] : [])));
  const rows = all
    .filter(({ lane, user }) => labelled.has(lane) || people.has(user) || lane.startsWith('1'))
    .map((row, kafka_offset) => ({
      ...{ ...row, findings: [], evidence: [], lane_profile: '' },
      ...{ kafka_partition: 0, kafka_offset, stored_at: STORED_AT, claimant: 'simulated' },
    }));
  return { records, rows };
}

/** Rules of which the chosen rows have something. */
const FOUND = ['R01', 'R03', 'R04', 'R05', 'R07', 'R08', 'R09', 'R12', 'R19', 'R25', 'R29'];
/** Rules that are shown whole lanes, as R07 is, by the same reads. */
const READ_AS_R07: RuleId[] = ['R06', 'R10', 'R11', 'R13', 'R15', 'R17'];
