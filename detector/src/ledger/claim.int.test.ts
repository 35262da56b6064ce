import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../../deploy/testing/helpers.ts';
import { ledgerClaim } from './claim.ts';
import { FencedError, LedgerUnavailableError, type Ledger } from './ledger.ts';
import {
  insertRows,
  finding,
  ledgerRow,
  ledgerRows,
  openTestLedger,
  startTestEngine,
  type TestEngine,
  type TestLedger,
} from './testing.ts';

describe('claim', () => {
  let engine: TestEngine;
  let test: TestLedger;

  beforeAll(async () => {
    engine = await startTestEngine();
  });
  afterAll(() => engine.stop());
  beforeEach(async () => {
    test = await openTestLedger(engine);
  });
  afterEach(() => test.close());

  const holders = () =>
    test.rows<[number, string]>(
      'SELECT partition, argMax(claimant, (claimed_at, claimant)) FROM {database}.claims GROUP BY partition ORDER BY partition',
    );

  it('makes the claimant the only writer, and a waking predecessor is fenced', async () => {
    const predecessor = test.ledger;
    await predecessor.claim([0, 1], 'first');
    await insertRows(predecessor, ledgerRows(10, 0, { claimant: 'first' }));
    const successor = await test.another();
    await successor.claim([0], 'second');
    await expect(insertRows(predecessor, ledgerRows(10, 10, { claimant: 'first' }))).rejects.toBeInstanceOf(
      FencedError,
    );
    await insertRows(successor, ledgerRows(10, 10, { claimant: 'second' }));
    // What was not taken over is still the predecessor's.
    await insertRows(predecessor, ledgerRows(10, 0, { claimant: 'first', kafka_partition: 1 }));
    expect(
      await test.rows('SELECT claimant, count() FROM {database}.ledger GROUP BY claimant ORDER BY claimant'),
    ).toEqual([
      ['first', 20],
      ['second', 10],
    ]);
  });

  it('shuts a predecessor out of the findings too, which wakes after its rows are stored', async () => {
    const predecessor = test.ledger;
    const successor = await test.another();
    const write = (org: string) => [{ finding: finding({ org }), partition: 0 }];
    await predecessor.claim([0, 1], 'first');
    await predecessor.writeFindings(write('before'), 'first');
    await successor.claim([0], 'second');
    // As many occurrences as before: the last write wins, and it must not be the predecessor's.
    await successor.writeFindings(write('after'), 'second');
    await expect(predecessor.writeFindings(write('late'), 'first')).rejects.toBeInstanceOf(FencedError);
    expect(await successor.readFindings([finding().id])).toEqual([finding({ org: 'after' })]);
  });

  it('shuts a predecessor out of the progress too, which would say of a new topic how far an old one was read', async () => {
    const successor = await test.another();
    await test.ledger.claim([0, 1], 'first');
    await test.ledger.noteProgress(new Map([[0, 5]]), Date.now(), 'first');
    await successor.claim([0], 'second');
    const late = test.ledger.noteProgress(
      new Map([
        [0, 9],
        [1, 9],
      ]),
      Date.now(),
      'first',
    );
    await expect(late).rejects.toBeInstanceOf(FencedError);
    expect(await successor.resumeOffsets([0, 1])).toEqual(new Map([[0, 5]]));
  });

  it('is renewed by whoever holds it alone, and what was sent under the claim before is refused', async () => {
    await test.ledger.claim([0, 1], 'one/0');
    await test.ledger.renewClaim([0, 1], 'one/1', 'one/');
    await expect(insertRows(test.ledger, ledgerRows(10, 0, { claimant: 'one/0' }))).rejects.toBeInstanceOf(FencedError);
    await insertRows(test.ledger, ledgerRows(10, 0, { claimant: 'one/1' }));
    await (await test.another()).claim([1], 'two/0');
    await expect(test.ledger.renewClaim([0, 1], 'one/2', 'one/')).rejects.toBeInstanceOf(FencedError);
    expect((await holders()).at(1)).toEqual([1, 'two/0']);
  });

  it('wins over a claim from the future, so that no clock that is ahead locks a partition', async () => {
    await test.ledger.claim([0], 'first');
    await test.client.command({
      query: `INSERT INTO ${test.database}.claims SELECT 0, 'ahead', now64(6) + INTERVAL 10 YEAR`,
    });
    await test.ledger.claim([0], 'second');
    await insertRows(test.ledger, [ledgerRow({ claimant: 'second' })]);
    expect(await holders()).toEqual([[0, 'second']]);
  });

  it('leaves exactly one writer when detectors claim at the same moment', async () => {
    for (let round = 0; round < 5; round++) {
      const claimants = ['x', 'y', 'z'].map((name) => `${name}${round}`);
      const ledgers = await Promise.all(claimants.map(() => test.another()));
      const claims = await Promise.allSettled(
        ledgers.map((ledger, index) => ledger.claim([0, 1, 2], claimants[index]!)),
      );
      const writes = await Promise.allSettled(
        ledgers.map((ledger, index) =>
          insertRows(ledger, [ledgerRow({ claimant: claimants[index]!, kafka_offset: round })]),
        ),
      );
      const writers = claimants.filter((_, index) => writes[index]?.status === 'fulfilled');
      expect(writers).toHaveLength(1);
      expect(claims[claimants.indexOf(writers[0]!)]?.status).toBe('fulfilled');
      expect((await holders()).map(([, holder]) => holder)).toEqual([writers[0], writers[0], writers[0]]);
    }
  });

  it('gives way to a claim that came after it, and is not made again', async () => {
    const successor = await test.another();
    const overtaken = Object.assign(Object.create(test.client) as typeof test.client, {
      async command(params: Parameters<typeof test.client.command>[0]) {
        if (params.query.startsWith('SYSTEM RELOAD')) await successor.claim([1], 'successor');
        return test.client.command(params);
      },
    });
    await expect(ledgerClaim(overtaken, test.database, 1_000).claim([0, 1], 'overtaken')).rejects.toBeInstanceOf(
      FencedError,
    );
    await insertRows(successor, [ledgerRow({ kafka_partition: 1, claimant: 'successor' })]);
    expect(await holders()).toEqual([
      [0, 'overtaken'],
      [1, 'successor'],
    ]);
  });

  it('is broken off by its signal while it waits for inserts', async () => {
    await test.ledger.claim([0], 'first');
    let ended = false;
    const slow = slowInsert(test, 'first', 3).finally(() => {
      ended = true;
    });
    await untilInsertRuns(test);
    const assignment = new AbortController();
    const claiming = test.ledger.claim([0], 'second', assignment.signal);
    await until(async () => (await holders())[0]?.[1] === 'second', 10_000, 'the claim to be noted');
    assignment.abort();
    await expect(claiming).rejects.toBeInstanceOf(LedgerUnavailableError);
    expect(ended).toBe(false);
    await slow;
  });

  it('waits until inserts that were running when it claimed have ended', async () => {
    await test.ledger.claim([0], 'first');
    let ended = false;
    const slow = slowInsert(test, 'first', 2).finally(() => {
      ended = true;
    });
    await untilInsertRuns(test);
    await (await test.another()).claim([0], 'second');
    expect(ended).toBe(true);
    await slow;
  });

  it('gives up with a reason when such an insert does not end', async () => {
    await test.ledger.claim([0], 'first');
    const slow = slowInsert(test, 'first', 3);
    await untilInsertRuns(test);
    const impatient = ledgerClaim(test.client, test.database, 200);
    const failure = await impatient.claim([0], 'second').catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(LedgerUnavailableError);
    expect((failure as Error).message).toContain('of an earlier claimant still run after 200 ms');
    await slow;
  });

  it('does not wait for inserts into other ledgers', async () => {
    const neighbour = await openTestLedger(engine);
    await neighbour.ledger.claim([0], 'first');
    const slow = slowInsert(neighbour, 'first', 3);
    await untilInsertRuns(neighbour);
    await ledgerClaim(test.client, test.database, 200).claim([0], 'second');
    await slow;
    await neighbour.close();
  });

  it('gives every successor a resume point behind all that its predecessors stored', async () => {
    const generations = 6;
    let running: Promise<void> = Promise.resolve();
    for (let generation = 0; generation < generations; generation++) {
      const claimant = `generation-${generation}`;
      const ledger = await test.another();
      await ledger.claim([0], claimant);
      const predecessor = running;
      const resume = (await ledger.resumeOffsets([0])).get(0) ?? 0;
      // Nothing may come to lie behind the resume point any more, so this is what the predecessors stored, all of it.
      running = writeUntilFenced(ledger, claimant, resume);
      await predecessor;
      await until(async () => ((await ledger.resumeOffsets([0])).get(0) ?? 0) > resume + 60, 20_000, 'some batches');
    }
    await test.ledger.claim([0], 'end');
    await running;
    const [total] = await test.rows<[number, number, number]>(
      'SELECT count(), uniqExact(kafka_offset), max(kafka_offset) + 1 FROM {database}.ledger',
    );
    expect(total?.[0]).toBe(total?.[2]);
    expect(total?.[1]).toBe(total?.[2]);
  });

  it('refuses the name that unclaimed partitions have', async () => {
    await expect(test.ledger.claim([0], '')).rejects.toThrow('needs a name');
  });
});

/** Writes batches of 20 consecutive offsets until somebody else has the partition. */
async function writeUntilFenced(ledger: Ledger, claimant: string, firstOffset: number): Promise<void> {
  for (let offset = firstOffset; ; offset += 20) {
    try {
      await insertRows(ledger, ledgerRows(20, offset, { claimant }));
    } catch (error) {
      if (error instanceof FencedError) return;
      throw error;
    }
  }
}

/** An insert into the ledger that takes this long; whether the fence lets it through is not what it is for. */
async function slowInsert(test: TestLedger, claimant: string, seconds: number): Promise<void> {
  const insert = test.client.command({
    query: `INSERT INTO ${test.database}.ledger (id, claimant)
            SELECT toString(number), '${claimant}' FROM numbers(${seconds * 10}) WHERE sleepEachRow(0.1) = 0`,
    clickhouse_settings: { max_block_size: '5', function_sleep_max_microseconds_per_block: '60000000' },
  });
  await insert.catch((error: unknown) => {
    if ((error as { code?: string }).code !== '469') throw error;
  });
}

function untilInsertRuns(test: TestLedger): Promise<unknown> {
  return until(
    async () =>
      (
        await test.rows<[number]>(
          `SELECT count() FROM system.processes WHERE query_kind = 'Insert' AND position(query, '{database}') > 0`,
        )
      )[0]?.[0],
    10_000,
    'the insert to run',
  );
}
