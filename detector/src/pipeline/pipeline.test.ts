import { encodeUsageRow, fingerprintOf, type BusRecord } from '@lanewatch/ingest/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Finding, LedgerRow } from '../../contract/index.ts';
import { FencedError, LedgerUnavailableError } from '../ledger/ledger.ts';
import type { Batch } from './batch.ts';
import { NOON, usageEvent } from './testing/events.ts';
import { createClock } from './testing/harness.ts';
import { createMemoryLedger, HeldBackError, type MemoryLedger } from './testing/memory-ledger.ts';
import { deliver, PARTITIONS, recordOf, start, stored } from './testing/deliver.ts';

const sorted = (findings: Map<string, Finding>) => [...findings.values()].sort((a, b) => a.id.localeCompare(b.id));

/** A log of two partitions with repeated ids, several lanes and people, as records of one to four events. */
const logArbitrary = fc
  .array(
    fc.record({
      partition: fc.constantFrom(...PARTITIONS),
      isGarbage: fc.constantFrom(false, false, false, true),
      events: fc.array(
        fc.record({
          id: fc.nat(40),
          lane: fc.nat(2),
          user: fc.constantFrom('ana', 'ben', 'cleo', 'dan', '', 'root', '10.0.0.7', '10.0.0.8', '10.0.0.9'),
          minute: fc.oneof(fc.nat(600), fc.nat(3 * 24 * 60)),
          repo: fc.constantFrom('acme/api', 'acme/web', 'acme/tools', 'acme/docs', ''),
          environment: fc.constantFrom('staging', 'production', ''),
          session: fc.constantFrom('s1', 's2', 's3'),
          host: fc.constantFrom('', 'build-7'),
        }),
        { minLength: 1, maxLength: 4 },
      ),
    }),
    { maxLength: 25 },
  )
  .map((records) => {
    const log = new Map<number, BusRecord[]>();
    for (const { partition, isGarbage, events } of records) {
      const own = log.get(partition) ?? [];
      const lines = (isGarbage ? [] : events).map(({ id, lane, minute, host, ...fields }) =>
        encodeUsageRow(
          usageEvent({
            id: `${partition}-${id}`,
            fingerprint: fingerprintOf(`${partition}/${lane}`),
            hint: minute % 2 === 0 ? '' : `sk-...${minute}`,
            ip: minute % 3 === 0 ? '' : '10.0.0.7',
            host,
            received_at: NOON - (minute % 5 === 0 ? 0 : minute * 60_000 - 1000),
            cost_nano_usd: minute * 10_000_001,
            time: NOON - minute * 60_000,
            ...fields,
          }),
        ),
      );
      log.set(partition, [...own, recordOf(partition, own.length, lines)]);
    }
    return log;
  });

/**
 * Lets a ledger fail as the fates say; `crash` lasts until the next start. A request that is `held` has no answer and is still under
 * way; it gets there at the next `arrive`, whatever was written meanwhile.
 */
function strike(ledger: MemoryLedger, fates: readonly string[]) {
  const remaining = [...fates];
  const state = { crashed: false };
  ledger.intercept = () => {
    // A dead process reaches nothing any more: whatever it still tries is refused until the next one is started.
    if (state.crashed) throw new FencedError('dead');
    const fate = remaining.shift();
    if (fate === 'arrive') ledger.deliverLate();
    if (fate === 'held') throw new HeldBackError(fate);
    if (fate === 'crash') state.crashed = true;
    if (fate === 'crash' || fate === 'fail') throw new LedgerUnavailableError(fate);
  };
  return state;
}

describe('delivery', () => {
  test('every event is in the ledger once, and findings, stored and published, are those of an undisturbed run, whatever fails and wherever it crashes', async () => {
    await fc.assert(
      fc.asyncProperty(
        logArbitrary,
        fc.array(fc.constantFrom('fail', 'crash', 'held', 'arrive', 'ok'), { maxLength: 30 }),
        async (log, fates) => {
          const undisturbed = createMemoryLedger();
          const undisturbedHarness = start(undisturbed);
          await deliver(undisturbedHarness, log);

          const ledger = createMemoryLedger();
          const clock = createClock();
          const state = strike(ledger, fates);
          const published = new Map<string, Finding>();
          const publishFindings = async (findings: Finding[]) => {
            if (state.crashed) throw new FencedError('dead');
            for (const finding of findings)
              if ((published.get(finding.id)?.occurrences ?? 0) <= finding.occurrences)
                published.set(finding.id, finding);
          };
          const deadLetters = new Set<string>();
          const publishDeadLetters = async (letters: Batch['deadLetters']) => {
            if (state.crashed) throw new FencedError('dead');
            for (const { partition, offset } of letters) deadLetters.add(`${partition}/${offset}`);
          };
          const life = () => start(ledger, { publishFindings, publishDeadLetters }, clock);
          // Each fate strikes at most once, so after as many starts as there are fates one run goes through.
          for (let starts = 0; starts <= fates.length; starts++) {
            state.crashed = false;
            await deliver(life(), log);
          }
          ledger.intercept = () => undefined;
          state.crashed = false;
          await deliver(life(), log);
          ledger.deliverLate();

          // All of it is told as read, so nothing is read and dead-lettered again.
          const told = new Set(deadLetters);
          deadLetters.clear();
          await deliver(life(), log);
          expect([...deadLetters]).toEqual([]);
          expect(told).toEqual(
            new Set(undisturbedHarness.deadLetters.map(({ partition, offset }) => `${partition}/${offset}`)),
          );
          expect(stored(ledger)).toEqual(stored(undisturbed));
          expect(new Set(stored(ledger)).size).toBe(ledger.rows.length);
          expect(sorted(ledger.findings)).toEqual(sorted(undisturbed.findings));
          expect(sorted(published)).toEqual(sorted(undisturbed.findings));
        },
      ),
      { numRuns: 150 },
    );
  });

  test('findings count exactly the rows that carry them, with lanes forgotten in between, and restarts long after', async () => {
    const DAY = 24 * 3_600_000;
    await fc.assert(
      fc.asyncProperty(
        fc.array(logArbitrary, { minLength: 1, maxLength: 4 }),
        fc.array(fc.constantFrom('fail', 'crash', 'held', 'arrive', 'ok', 'ok'), { maxLength: 30 }),
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 12 }),
        async (logs, fates, lanesMax, batchRowsMax) => {
          const ledger = createMemoryLedger();
          const clock = createClock();
          const state = strike(ledger, fates);
          const run = () => deliver(start(ledger, { lanesMax, batchRowsMax, laneHistoryMs: DAY }, clock), log);
          const log = new Map<number, BusRecord[]>(PARTITIONS.map((partition) => [partition, []]));
          for (const [generation, more] of logs.entries()) {
            for (const [partition, records] of more)
              for (const { value } of records) {
                const own = log.get(partition)!;
                const lines = value.toString().replaceAll(`"${partition}-`, `"${generation}-${partition}-`);
                own.push(recordOf(partition, own.length, lines.split('\n')));
              }
            do {
              state.crashed = false;
              await run();
            } while (state.crashed);
            // Nothing that was stored until now is restored any more.
            clock.advance(2 * DAY);
          }
          const carried = new Map<string, LedgerRow[]>();
          for (const row of ledger.rows)
            for (const id of row.findings) carried.set(id, [...(carried.get(id) ?? []), row]);
          expect([...ledger.findings.keys()].sort()).toEqual([...carried.keys()].sort());
          for (const [id, rows] of carried) {
            const iso = (ms: number) => new Date(ms).toISOString();
            expect(ledger.findings.get(id)).toMatchObject({
              occurrences: rows.length,
              first_seen: iso(Math.min(...rows.map(({ seen_at }) => seen_at))),
              last_seen: iso(Math.max(...rows.map(({ seen_at }) => seen_at))),
              last_received_at: iso(Math.max(...rows.map(({ received_at }) => received_at))),
              hint: rows.findLast(({ hint }) => hint !== '')?.hint ?? '',
            });
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  test('findings that a crash left behind are written whole, also on a lane that is not held any more', async () => {
    const event = (id: string, lane: string, user: string) =>
      encodeUsageRow(
        usageEvent({ id, fingerprint: fingerprintOf(lane), user: `${user}@acme.example`, ip: '10.0.0.7' }),
      );
    const log = new Map([
      [0, [recordOf(0, 0, [event('1', 'a', 'ana'), event('2', 'a', 'ben'), event('3', 'b', 'eve')])]],
    ]);
    const undisturbed = createMemoryLedger();
    await deliver(start(undisturbed), log);
    const ledger = createMemoryLedger();
    const state = strike(ledger, ['ok', 'ok', 'crash']);
    const clock = createClock();
    await deliver(start(ledger, {}, clock), log);
    expect([ledger.rows.length, ledger.findings.size]).toEqual([3, 0]);
    state.crashed = false;
    // There is room for one lane, and it is the other one.
    await deliver(start(ledger, { lanesMax: 1 }, clock), log);
    expect(sorted(ledger.findings).map(({ rule }) => rule)).toEqual(['R01', 'R01', 'R05', 'R29']);
    expect(sorted(ledger.findings)).toEqual(sorted(undisturbed.findings));
  });

  test('a detector whose partitions were claimed by another stores nothing more and joins again', async () => {
    const ledger = createMemoryLedger();
    const old = start(ledger);
    await old.pipeline.onAssignment(PARTITIONS);
    const successor = start(ledger);
    await successor.pipeline.onAssignment(PARTITIONS);
    const record = recordOf(0, 0, [encodeUsageRow(usageEvent({ id: 'late' }))]);
    await old.pipeline.onBatch({ partition: 0, records: [record], endOffset: 1 });
    await old.pipeline.close();
    expect(ledger.rows).toEqual([]);
    expect(old.rejoins).toHaveLength(1);
    await successor.pipeline.onBatch({ partition: 0, records: [record], endOffset: 1 });
    await successor.pipeline.close();
    expect(stored(ledger)).toEqual(['late']);
  });

  test('an assignment that ended while it waited for an insert claims nothing, so its successor goes on', async () => {
    const ledger = createMemoryLedger();
    const old = start(ledger);
    const { promise: gate, resolve: release } = Promise.withResolvers<undefined>();
    const insert = ledger.insert.bind(ledger);
    ledger.insert = async (block, claimant) => {
      await gate;
      await insert(block, claimant);
    };
    await old.pipeline.onAssignment(PARTITIONS);
    const record = recordOf(0, 0, [encodeUsageRow(usageEvent({ id: 'one' }))]);
    await old.pipeline.onBatch({ partition: 0, records: [record], endOffset: 1 });
    await new Promise((resolve) => setTimeout(resolve, 0));
    old.pipeline.onRevoked();
    const ended = old.pipeline.onAssignment(PARTITIONS);
    old.pipeline.onRevoked();
    const successor = start(ledger);
    await successor.pipeline.onAssignment(PARTITIONS);
    release(undefined);
    await expect(ended).rejects.toThrow('the assignment has ended');
    await successor.pipeline.onBatch({ partition: 0, records: [record], endOffset: 1 });
    await successor.pipeline.close();
    expect(successor.rejoins).toEqual([]);
    expect(stored(ledger)).toEqual(['one']);
    expect(old.assigned).toEqual([PARTITIONS]);
  });

  test('closing breaks a restore off, so that it need not be waited for', async () => {
    const ledger = createMemoryLedger();
    const { pipeline } = start(ledger);
    const { promise: restoring, resolve: begun } = Promise.withResolvers<undefined>();
    ledger.restoreLanes = (_partitions, _sinceMs, _limit, _onLane, signal) =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(new Error('broken off')));
        begun(undefined);
      });
    const assigning = pipeline.onAssignment(PARTITIONS);
    await restoring;
    await pipeline.close();
    await expect(assigning).rejects.toThrow('broken off');
  });

  test('rows that are stored are counted although their findings are refused', async () => {
    const ledger = createMemoryLedger();
    const harness = start(ledger);
    ledger.intercept = (step) => {
      if (step === 'findings') throw new FencedError('claimed by another');
    };
    const record = recordOf(0, 0, [encodeUsageRow(usageEvent({ id: 'one' }))]);
    await deliver(harness, new Map([[0, [record]]]));
    expect(harness.rejoins).toEqual(['claimed by another']);
    expect(stored(ledger)).toEqual(['one']);
    expect(harness.counted).toEqual([1]);
  });

  test('an assignment without partitions is told as well: a standby is ready', async () => {
    const harness = start(createMemoryLedger());
    await harness.pipeline.onAssignment([]);
    await harness.pipeline.onAssignment(PARTITIONS);
    expect(harness.assigned).toEqual([[], PARTITIONS]);
  });

  test('a topic that was made anew is read once from its start, and then from where the ledger has it', async () => {
    const ledger = createMemoryLedger();
    const clock = createClock();
    const logOf = (name: string, length: number) =>
      Array.from({ length }, (_, offset) =>
        recordOf(0, offset, [encodeUsageRow(usageEvent({ id: `${name}${offset}` }))]),
      );
    const resumePoints: (number | undefined)[] = [];
    /** A detector's life over this log; ids are forgotten in between, so what is read again is stored again. */
    const live = async (records: BusRecord[]) => {
      const { pipeline } = start(ledger, { endOffsets: async () => new Map([[0, records.length]]) }, clock);
      const from = (await pipeline.onAssignment([0])).get(0);
      resumePoints.push(from);
      await pipeline.onBatch({ partition: 0, records: records.slice(from ?? 0), endOffset: records.length });
      await pipeline.close();
      clock.advance(7_200_000);
    };
    await live(logOf('old', 10));
    await live(logOf('new', 4));
    await live(logOf('new', 6));
    await live(logOf('new', 30));
    await live(logOf('newer', 3));
    expect(resumePoints).toEqual([undefined, undefined, 4, 6, undefined]);
    expect(stored(ledger)).toEqual(
      [
        ...logOf('old', 10).map((_, id) => `old${id}`),
        ...logOf('new', 30).map((_, id) => `new${id}`),
        'newer0',
        'newer1',
        'newer2',
      ].sort(),
    );
  });

  test('a partition of garbage or duplicates alone is read once, beside one with rows, and again when its topic is made anew', async () => {
    const ledger = createMemoryLedger();
    const clock = createClock();
    const garbage = Array.from({ length: 5 }, (_, offset) => recordOf(1, offset, ['{']));
    const same = Array.from({ length: 4 }, (_, offset) => recordOf(0, offset, [encodeUsageRow(usageEvent({}))]));
    const live = async (...logs: BusRecord[][]) => {
      const ends = new Map(logs.map((records, partition) => [partition, records.length]));
      const harness = start(ledger, { endOffsets: async () => ends }, clock);
      const resume = await harness.pipeline.onAssignment(PARTITIONS);
      for (const [partition, records] of logs.entries())
        await harness.pipeline.onBatch({
          partition,
          records: records.slice(resume.get(partition) ?? 0),
          endOffset: records.length,
        });
      await harness.pipeline.close();
      return { resume: [...resume].sort(), letters: harness.deadLetters.length };
    };
    expect(await live(same, garbage)).toEqual({ resume: [], letters: 5 });
    const all: [number, number][] = [
      [0, 4],
      [1, 5],
    ];
    expect(await live(same, garbage)).toEqual({ resume: all, letters: 0 });
    expect(await live(same, garbage.slice(0, 2))).toEqual({ resume: [[0, 4]], letters: 2 });
    expect(await live(same, garbage)).toEqual({
      resume: [
        [0, 4],
        [1, 2],
      ],
      letters: 3,
    });
    expect(ledger.rows).toHaveLength(1);
  });
});
