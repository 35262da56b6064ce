import {
  encodeUsageRow,
  fingerprintOf,
  ROW_VERSION_HEADER,
  USAGE_COLUMNS,
  USAGE_ROW_VERSION,
  type BusRecord,
  type CredentialRecord,
} from '@lanewatch/ingest/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Finding, LedgerRow } from '../../contract/index.ts';
import { FencedError, LedgerUnavailableError } from '../ledger/ledger.ts';
import type { Batch } from './batch.ts';
import { DEAD_LETTER_BYTES_MAX } from './dead-letter.ts';
import { NOON, usageEvent } from './testing/events.ts';
import { createClock, startPipeline, type Harness, type Overrides } from './testing/harness.ts';
import { createMemoryLedger, HeldBackError, type MemoryLedger } from './testing/memory-ledger.ts';

const PARTITIONS = [0, 1];
const MEBIBYTE = 1024 * 1024;

function recordOf(partition: number, offset: number, lines: string[]): BusRecord {
  const headers = { [ROW_VERSION_HEADER]: USAGE_ROW_VERSION };
  return { partition, offset, key: null, value: Buffer.from(lines.join('\n')), headers, timestamp: NOON };
}

/** A detector in which one key of the log is registered, and revoked. */
const start = (ledger: MemoryLedger, overrides: Overrides = {}, clock = createClock()): Harness =>
  startPipeline(ledger, [REVOKED], overrides, clock);

/** Delivers each partition's records from the resume offsets on, as a bus would. */
async function deliver(harness: Harness, log: Map<number, BusRecord[]>): Promise<void> {
  const resume = await harness.pipeline.onAssignment(PARTITIONS);
  for (const partition of PARTITIONS) {
    const records = (log.get(partition) ?? []).filter(({ offset }) => offset >= (resume.get(partition) ?? 0));
    for (const record of records)
      await harness.pipeline.onBatch({ partition, records: [record], endOffset: record.offset + 1 });
  }
  await harness.pipeline.close();
}

const sorted = (findings: Map<string, Finding>) => [...findings.values()].sort((a, b) => a.id.localeCompare(b.id));
const stored = (ledger: MemoryLedger) => ledger.rows.map((row) => row.id).sort();

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

/** One key of the log is registered; it was revoked in the midst of the times that events tell. */
const REVOKED: Partial<CredentialRecord> = {
  id: 'cred',
  fingerprint: fingerprintOf('0/2'),
  hint: 'sk-...1',
  name: 'key',
  kind: 'registered',
  status: 'revoked',
  created_at: '2026-11-01T00:00:00Z',
  revoked_at: new Date(NOON - 300 * 60_000).toISOString(),
  version: 1,
};

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

  test('closing ends under load that does not, with what was taken in stored', async () => {
    const ledger = createMemoryLedger();
    const harness = start(ledger, { batchRowsMax: 1000 });
    const insert = ledger.insert.bind(ledger);
    ledger.insert = async (rows, claimant) => {
      for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
      await insert(rows, claimant);
    };
    await harness.pipeline.onAssignment(PARTITIONS);
    let offset = 0;
    let closing: Promise<void> | null = null;
    let isClosed = false;
    while (!isClosed) {
      const record = recordOf(0, offset, [encodeUsageRow(usageEvent({ id: String(offset) }))]);
      await harness.pipeline.onBatch({ partition: 0, records: [record], endOffset: ++offset });
      await new Promise(setImmediate);
      if (offset === 20) closing = harness.pipeline.close().then(() => void (isClosed = true));
      // A bus goes on delivering until it is told to stop; a detector that closes only when there is nothing left never does.
      if (offset > 10_000) expect.unreachable('still closing');
    }
    await closing;
    expect(ledger.rows.map(({ id }) => Number(id))).toEqual(Array.from({ length: 20 }, (_, id) => id));
    await expect(harness.pipeline.onAssignment(PARTITIONS)).rejects.toThrow('stopping');
  });

  test('whoever closes a second time, or delivers meanwhile, waits for the same end', async () => {
    const ledger = createMemoryLedger();
    const { pipeline } = start(ledger);
    const { promise: gate, resolve: release } = Promise.withResolvers<undefined>();
    const insert = ledger.insert.bind(ledger);
    ledger.insert = async (block, claimant) => {
      await gate;
      await insert(block, claimant);
    };
    const record = (offset: number) => recordOf(0, offset, [encodeUsageRow(usageEvent({ id: String(offset) }))]);
    await pipeline.onAssignment(PARTITIONS);
    await pipeline.onBatch({ partition: 0, records: [record(0)], endOffset: 2 });
    const ends = [
      pipeline.close(),
      pipeline.onBatch({ partition: 0, records: [record(1)], endOffset: 2 }),
      pipeline.close(),
    ];
    release(undefined);
    await Promise.all(ends);
    expect(stored(ledger)).toEqual(['0']);
  });

  test('a slow ledger holds the bus back instead of filling memory', async () => {
    const ledger = createMemoryLedger();
    const harness = start(ledger, { batchRowsMax: 2 });
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const insert = ledger.insert.bind(ledger);
    ledger.insert = async (rows, claimant) => {
      await gate;
      await insert(rows, claimant);
    };
    await harness.pipeline.onAssignment(PARTITIONS);
    const records = Array.from({ length: 20 }, (_, offset) =>
      recordOf(0, offset, [encodeUsageRow(usageEvent({ id: `e${offset}` }))]),
    );
    let settled = false;
    const delivering = harness.pipeline.onBatch({ partition: 0, records, endOffset: 20 }).then(() => (settled = true));
    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
    expect(settled).toBe(false);
    release();
    await delivering;
    await harness.pipeline.close();
    expect(ledger.rows).toHaveLength(20);
  });

  test('what waited while the batch before it was being stored does not wait for others again', async () => {
    const ledger = createMemoryLedger();
    const clock = createClock();
    const flushIntervalMs = 3_600_000;
    const harness = start(ledger, { batchRowsMax: 2, flushIntervalMs }, clock);
    const gate = Promise.withResolvers<undefined>();
    const second = Promise.withResolvers<undefined>();
    const insert = ledger.insert.bind(ledger);
    ledger.insert = async (rows, claimant) => {
      await gate.promise;
      await insert(rows, claimant);
      if (ledger.rows.length === 3) second.resolve(undefined);
    };
    await harness.pipeline.onAssignment(PARTITIONS);
    const recordWith = (offset: number, ids: string[]) =>
      recordOf(
        0,
        offset,
        ids.map((id) => encodeUsageRow(usageEvent({ id }))),
      );
    await harness.pipeline.onBatch({ partition: 0, records: [recordWith(0, ['a', 'b'])], endOffset: 1 });
    await harness.pipeline.onBatch({ partition: 0, records: [recordWith(1, ['c'])], endOffset: 2 });
    clock.advance(flushIntervalMs);
    gate.resolve(undefined);
    await second.promise;
    expect(stored(ledger)).toEqual(['a', 'b', 'c']);
    await harness.pipeline.close();
  });
});

describe('the bound of a batch', () => {
  /** A ledger that says what it is sent and takes it only when told to. */
  function gated() {
    const ledger = createMemoryLedger();
    const { promise: gate, resolve: release } = Promise.withResolvers<undefined>();
    const lengths: number[] = [];
    const insert = ledger.insert.bind(ledger);
    ledger.insert = async (block, claimant) => {
      lengths.push(block.length);
      await gate;
      await insert(block, claimant);
    };
    return { ledger, lengths, release: () => release(undefined) };
  }
  const settle = async () => {
    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
  };

  test('is passed by one record at most, however many partitions deliver at the same time', async () => {
    const partitions = Array.from({ length: 12 }, (_, partition) => partition);
    const EVENTS_PER_RECORD = 5;
    const batchRowsMax = 7;
    const { ledger, lengths, release } = gated();
    const { pipeline } = start(ledger, { batchRowsMax });
    await pipeline.onAssignment(partitions);
    const delivering = partitions.map((partition) => {
      const records = Array.from({ length: 4 }, (_, offset) =>
        recordOf(
          partition,
          offset,
          Array.from({ length: EVENTS_PER_RECORD }, (_row, index) =>
            encodeUsageRow(usageEvent({ id: `${partition}/${offset}/${index}` })),
          ),
        ),
      );
      return pipeline.onBatch({ partition, records, endOffset: records.length });
    });
    await settle();
    release();
    await Promise.all(delivering);
    await pipeline.close();
    expect(stored(ledger)).toHaveLength(partitions.length * 4 * EVENTS_PER_RECORD);
    expect(new Set(stored(ledger)).size).toBe(ledger.rows.length);
    expect(Math.max(...lengths)).toBeLessThan(batchRowsMax + EVENTS_PER_RECORD);
  });

  test('holds for the bytes of dead letters too', async () => {
    const partitions = Array.from({ length: 12 }, (_, partition) => partition);
    const published: number[] = [];
    const { ledger, release } = gated();
    const { pipeline } = start(ledger, {
      batchRowsMax: 1000,
      publishDeadLetters: async (letters) =>
        void published.push(letters.reduce((bytes, letter) => bytes + letter.bytes.length, 0)),
    });
    await pipeline.onAssignment(partitions);
    const row = recordOf(0, 0, [encodeUsageRow(usageEvent({ id: 'first' }))]);
    await pipeline.onBatch({ partition: 0, records: [row], endOffset: 1 });
    await settle();
    const delivering = partitions.map((partition) => {
      const records = Array.from({ length: 10 }, (_, index) => recordOf(partition, 1 + index, ['x'.repeat(MEBIBYTE)]));
      return pipeline.onBatch({ partition, records, endOffset: 11 });
    });
    await settle();
    release();
    await Promise.all(delivering);
    await pipeline.close();
    expect(Math.max(...published)).toBeLessThan(16 * MEBIBYTE + DEAD_LETTER_BYTES_MAX);
  });

  test('a batch that the ledger can never take is given up, not tried for ever', async () => {
    const ledger = createMemoryLedger();
    ledger.insert = () => Promise.reject(new RangeError('a batch has 200001 rows'));
    const { pipeline, rejoins } = start(ledger);
    await pipeline.onAssignment(PARTITIONS);
    const record = recordOf(0, 0, [encodeUsageRow(usageEvent({ id: 'one' }))]);
    await pipeline.onBatch({ partition: 0, records: [record], endOffset: 1 });
    await pipeline.close();
    expect(rejoins).toEqual(['a batch has 200001 rows']);
  });
});

test('the block of a batch without rows goes back to the ledger like any other', async () => {
  const ledger = createMemoryLedger();
  const inserted: number[] = [];
  const insert = ledger.insert.bind(ledger);
  ledger.insert = async (block, claimant) => {
    inserted.push(block.length);
    await insert(block, claimant);
  };
  const duplicates = [0, 1].map((offset) => recordOf(0, offset, [encodeUsageRow(usageEvent({ id: 'same' }))]));
  await deliver(start(ledger, { batchRowsMax: 1 }), new Map([[0, duplicates]]));
  expect(inserted).toEqual([1, 0]);
});

describe('bad records', () => {
  test('a broken line is dead-lettered with its bytes and reason; its neighbours are stored', async () => {
    const ledger = createMemoryLedger();
    const harness = start(ledger);
    const good = (id: string) => encodeUsageRow(usageEvent({ id }));
    const wrongType = JSON.stringify([
      ...(JSON.parse(good('x')) as unknown[]).slice(0, 2),
      'noon',
      ...(JSON.parse(good('x')) as unknown[]).slice(3),
    ]);
    await deliver(
      harness,
      new Map([[0, [recordOf(0, 0, [good('a'), '{"half":', good('b'), '[1,2]', wrongType, good('c')])]]]),
    );
    expect(stored(ledger)).toEqual(['a', 'b', 'c']);
    expect(
      harness.deadLetters.map(({ recordIndex, bytes, reason }) => [recordIndex, Buffer.from(bytes).toString(), reason]),
    ).toEqual([
      [1, '{"half":', 'not JSON'],
      [3, '[1,2]', `has 2 columns, ${USAGE_COLUMNS.length} expected`],
      [4, wrongType, 'time: number expected, got string'],
    ]);
  });

  test('the reason of a dead letter never quotes what was sent', async () => {
    const harness = start(createMemoryLedger());
    const secret = `sk-ant-api03-${'x'.repeat(93)}AA`;
    const lines = [`{"key": ${secret}}`, JSON.stringify([secret]), `{"source": "${secret}"}`];
    const headers: Record<string, string>[] = [{ [ROW_VERSION_HEADER]: USAGE_ROW_VERSION }, {}];
    const records = headers.map((own, offset) => ({ ...recordOf(0, offset, lines), headers: own }));
    await deliver(harness, new Map([[0, records]]));
    expect(harness.deadLetters.length).toBeGreaterThan(0);
    for (const { reason } of harness.deadLetters) expect(reason).not.toContain('xxxx');
  });

  test('arbitrary bytes never stop the partition', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 200 }),
        fc.constantFrom('1', '7', undefined),
        async (bytes, version) => {
          const ledger = createMemoryLedger();
          const harness = start(ledger);
          const headers: Record<string, string> = version === undefined ? {} : { [ROW_VERSION_HEADER]: version };
          const poison: BusRecord = {
            partition: 0,
            offset: 0,
            key: null,
            value: Buffer.from(bytes),
            headers,
            timestamp: NOON,
          };
          await deliver(
            harness,
            new Map([[0, [poison, recordOf(0, 1, [encodeUsageRow(usageEvent({ id: 'after' }))])]]]),
          );
          expect(stored(ledger)).toEqual(['after']);
        },
      ),
    );
  });

  test('garbage is handed on by its bytes: it does not wait for rows or records to fill a batch', async () => {
    const harness = start(createMemoryLedger(), { batchRowsMax: 100_000, flushIntervalMs: 3_600_000 });
    await harness.pipeline.onAssignment(PARTITIONS);
    const deliverGarbage = async (from: number, to: number) => {
      const records = Array.from({ length: to - from }, (_, index) =>
        recordOf(0, from + index, ['x'.repeat(MEBIBYTE)]),
      );
      await harness.pipeline.onBatch({ partition: 0, records, endOffset: 20 });
    };
    await deliverGarbage(0, 18);
    expect(harness.deadLetters).toEqual([]);
    await deliverGarbage(18, 19);
    expect(harness.deadLetters).toHaveLength(19);
    // What came is cut, so that a topic with Kafka's default limit takes it; its size is told.
    expect(harness.deadLetters[0]).toMatchObject({ originalBytes: MEBIBYTE });
    expect(harness.deadLetters[0]?.bytes).toHaveLength(DEAD_LETTER_BYTES_MAX);
    await harness.pipeline.close();
  });

  test('objects of other producers are taken beside positional rows', async () => {
    const ledger = createMemoryLedger();
    const harness = start(ledger);
    const objects = [
      {
        source: 's',
        id: 'one',
        time: '2026-11-20T11:59:00Z',
        credential: { fingerprint: fingerprintOf('k') },
        tokens: { output: 3 },
      },
      { source: 's', id: 'two', time: '2026-11-20T11:59:30Z', cost_usd: '0.000000001' },
    ];
    const value = Buffer.from(objects.map((object) => JSON.stringify(object)).join('\n'));
    await deliver(
      harness,
      new Map([[0, [{ partition: 0, offset: 0, key: null, value, headers: {}, timestamp: NOON }]]]),
    );
    expect(
      ledger.rows.map(({ id, tokens_output, cost_nano_usd, standing, received_at }) => [
        id,
        tokens_output,
        cost_nano_usd,
        standing,
        received_at,
      ]),
    ).toEqual([
      ['one', 3, 0, 'unknown', NOON],
      ['two', 0, 1, 'unattributed', NOON],
    ]);
  });
});
