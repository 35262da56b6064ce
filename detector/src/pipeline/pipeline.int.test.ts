import {
  encodeUsageRow,
  fingerprintOf,
  ROW_VERSION_HEADER,
  USAGE_ROW_VERSION,
  type BusRecord,
} from '@lanewatch/ingest/contract';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRegistryView } from '../classify/registry-view.ts';
import { createLaneStates } from '../lane-state/lane-states.ts';
import { FencedError, type Ledger } from '../ledger/ledger.ts';
import { openTestLedger, startTestEngine, type TestEngine, type TestLedger } from '../ledger/testing.ts';
import { rulesInForce } from '../rules/index.ts';
import { createDedupeWindow } from './dedupe-window.ts';
import { createPlacement } from './move.ts';
import { createPipeline } from './pipeline.ts';
import { NOON, usageEvent } from './testing/events.ts';
import { createMemoryLedger } from './testing/memory-ledger.ts';

const DAY = 24 * 3_600_000;
const HEADERS = { [ROW_VERSION_HEADER]: USAGE_ROW_VERSION };

/** Records of a few lanes over three days, from a seed: people, places and repositories come and go, ids repeat. */
function logOf(seed: number): BusRecord[] {
  const event = fc.record({
    id: fc.nat(400).map(String),
    fingerprint: fc.nat(5).map((lane) => fingerprintOf(String(lane))),
    user: fc.constantFrom('ana@acme.example', 'ben@acme.example', 'eve@acme.example', ''),
    hint: fc.constantFrom('', 'sk-...1', 'sk-...2'),
    ip: fc.constantFrom('', '10.0.0.7', '10.0.0.8'),
    repo: fc.constantFrom('', 'acme/api', 'acme/web'),
    environment: fc.constantFrom('', 'staging', 'production'),
    session: fc.constantFrom('s1', 's2', 's3'),
    cost_nano_usd: fc.nat(1_000_000_000),
    time: fc.nat(3 * DAY).map((before) => NOON - before),
  });
  const [records] = fc.sample(
    fc.array(fc.array(event, { minLength: 1, maxLength: 6 }), { minLength: 60, maxLength: 80 }),
    {
      seed,
      numRuns: 1,
    },
  );
  return records!.map((events, offset) => {
    const value = Buffer.from(events.map((fields) => encodeUsageRow(usageEvent(fields))).join('\n'));
    return { partition: 0, offset, key: null, value, headers: HEADERS, timestamp: NOON };
  });
}

describe('a detector on a real engine', () => {
  let engine: TestEngine;
  let test: TestLedger;
  beforeAll(async () => {
    engine = await startTestEngine();
  });
  afterAll(() => engine.stop());

  let clock = NOON;
  let starts = 0;

  /** One life of a detector over the log, from where the ledger has it until the end or its death. */
  async function live(ledger: Ledger, log: BusRecord[], lanesMax: number): Promise<void> {
    const registry = createRegistryView();
    const pipeline = createPipeline({
      instance: `detector-${starts++}`,
      ledger,
      registry,
      lanes: createLaneStates({ lanesMax, valuesPerLane: 32 }),
      rules: rulesInForce(),
      createDedupe: () => createDedupeWindow({ windowMs: DAY, idsMax: 10_000 }),
      dedupeWindowMs: DAY,
      dedupeIdsMax: 10_000,
      laneHistoryMs: DAY,
      lanesMax,
      batchRowsMax: 20,
      flushIntervalMs: 1,
      now: () => clock++,
      wait: () => Promise.reject(new Error('nothing may fail here but by dying')),
      publishDeadLetters: () => Promise.resolve(),
      publishMoves: () => Promise.reject(new Error('one partition is home to all')),
      placement: () => Promise.resolve(createPlacement(1)),
      publishFindings: () => Promise.resolve(),
      endOffsets: () => Promise.resolve(new Map([[0, log.length]])),
      commit: () => Promise.resolve(),
      rejoin: () => undefined,
      observer: {
        stored: () => undefined,
        finished: () => undefined,
        fault: () => undefined,
        assigned: () => undefined,
      },
    });
    const from = (await pipeline.onAssignment([0])).get(0) ?? 0;
    for (const record of log.slice(from))
      await pipeline.onBatch({ partition: 0, records: [record], endOffset: log.length });
    await pipeline.close();
  }

  /** The ledger as a process has it that dies at its n-th write, before or after the write arrives. */
  function mortal(ledger: Ledger, writesLeft: number, arrives: boolean): { ledger: Ledger; isDead(): boolean } {
    let left = writesLeft;
    const write = async (attempt: () => Promise<void>) => {
      if (left <= 0) throw new FencedError('dead');
      const dies = --left === 0;
      if (!dies || arrives) await attempt();
      if (dies) throw new FencedError('dies');
    };
    return {
      ledger: {
        ...ledger,
        insert: (rows, claimant) => write(() => ledger.insert(rows, claimant)),
        noteProgress: (...progress) => write(() => ledger.noteProgress(...progress)),
        writeFindings: (writes, claimant) => write(() => ledger.writeFindings(writes, claimant)),
      },
      isDead: () => left <= 0,
    };
  }

  it.each([1, 2, 3])(
    'that dies again and again ends with the rows and findings of an undisturbed one (seed %i)',
    async (seed) => {
      const log = logOf(seed);
      const undisturbed = createMemoryLedger();
      await live(undisturbed, log, 100);

      test = await openTestLedger(engine);
      try {
        for (let life = 1, isOver = false; !isOver; life++) {
          const { ledger, isDead } = mortal(test.ledger, 1 + ((life * seed) % 7), life % 2 === 0);
          await live(ledger, log, 100);
          isOver = !isDead();
        }
        expect(await test.ledger.resumeOffsets([0])).toEqual(new Map([[0, log.length]]));
        const ids = await test.rows<[string]>('SELECT id FROM {database}.ledger ORDER BY kafka_offset, record_index');
        expect(ids.flat()).toEqual(undisturbed.rows.map(({ id }) => id));
        const findings = await test.ledger.readFindings([...undisturbed.findings.keys()]);
        const byId = (left: { id: string }, right: { id: string }) => (left.id < right.id ? -1 : 1);
        expect(findings.sort(byId)).toEqual([...undisturbed.findings.values()].sort(byId));
        expect(await test.rows('SELECT uniqExact(id) FROM {database}.findings')).toEqual([[undisturbed.findings.size]]);
      } finally {
        await test.close();
      }
    },
  );

  it('that forgets lanes and starts long after counts exactly the rows that carry its findings', async () => {
    const log = logOf(4);
    test = await openTestLedger(engine);
    try {
      for (const end of [20, 40, log.length]) {
        await live(test.ledger, log.slice(0, end), 2);
        clock += 2 * DAY;
      }
      const carried = await test.rows<[string, number]>(
        'SELECT arrayJoin(findings) AS finding, count() FROM {database}.ledger GROUP BY finding ORDER BY finding',
      );
      const told = await test.rows<[string, number]>(
        'SELECT id, occurrences FROM {database}.findings FINAL ORDER BY id',
      );
      expect(carried.length).toBeGreaterThan(6);
      expect(told).toEqual(carried);
    } finally {
      await test.close();
    }
  });
});
