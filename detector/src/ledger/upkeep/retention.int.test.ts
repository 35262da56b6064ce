import { afterAll, beforeAll, expect, it } from 'vitest';
import { finding, insertRows, ledgerRows, startTestLedger, type TestLedger } from '../testing.ts';
import { applyRetention } from './retention.ts';

const NOW = Date.UTC(2026, 10, 20, 15);
const DAY_MS = 86_400_000;

let test: TestLedger;
let claimants: Map<number, string>;
beforeAll(async () => {
  test = await startTestLedger();
  claimants = new Map(await Promise.all([0, 1].map(async (one) => [one, await claim(one)] as const)));
});
afterAll(() => test.close());

async function claim(partition: number): Promise<string> {
  const claimant = `holder-of-${partition}`;
  await test.ledger.claim([partition], claimant);
  return claimant;
}

/** Ten rows of a partition of the bus, stored so many days ago. */
async function store(partition: number, firstOffset: number, daysAgo: number, findings: string[] = []): Promise<void> {
  const stored_at = NOW - daysAgo * DAY_MS;
  const claimant = claimants.get(partition)!;
  await insertRows(
    test.ledger,
    ledgerRows(10, firstOffset, {
      kafka_partition: partition,
      stored_at,
      seen_at: stored_at - 1_000,
      claimant,
      findings,
    }),
  );
}

async function keep(days: number): Promise<string[]> {
  const dropped: string[] = [];
  await applyRetention({
    ...{ client: test.client, database: test.database, days, coldDays: 0, coldVolume: 'cold' },
    now: () => NOW,
    wait: () => Promise.resolve(),
    onDropped: (day) => dropped.push(day),
    onFault: (error) => expect.fail(String(error)),
  });
  return dropped;
}

it('days beyond the retention go, younger ones stay whole, and the bus is read on from where it was', async () => {
  await store(0, 0, 31);
  await store(1, 0, 31);
  await store(1, 10, 30);
  await store(1, 20, 0);
  expect(await keep(31)).toEqual([]);
  expect(await keep(30)).toEqual(['2026-10-20']);
  expect(await test.rows('SELECT kafka_partition, count() FROM {database}.ledger GROUP BY 1 ORDER BY 1')).toEqual([
    [1, 20],
  ]);
  // Nothing of partition 0 is left that would tell how far it was read.
  expect(await test.ledger.resumeOffsets([0, 1])).toEqual(
    new Map([
      [0, 10],
      [1, 30],
    ]),
  );
  expect(await keep(30)).toEqual([]);
});

it('a finding whose oldest rows went is counted on from what the table has, not from the rows that are left', async () => {
  const raised = finding({ id: 'R01-kept', lane: 'lane-0', occurrences: 10, first_seen: '2026-10-01T00:00:00.000Z' });
  await store(0, 100, 40, [raised.id]);
  await test.ledger.writeFindings([{ finding: raised, partition: 0 }], claimants.get(0)!);
  await keep(30);
  await store(0, 110, 0, [raised.id]);
  const tallies: [number, string][] = [];
  const note = (tally: { occurrences: number; first_seen: number }) =>
    tallies.push([tally.occurrences, new Date(tally.first_seen).toISOString()]);
  await test.ledger.tallyKnownFindings([raised], note);
  await test.ledger.restoreFindings([0], NOW - 40 * DAY_MS, note);
  expect(tallies).toEqual([
    [10, raised.first_seen],
    [10, raised.first_seen],
  ]);
});
