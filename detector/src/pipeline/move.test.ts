import {
  BusUnavailableError,
  encodeUsageRow,
  fingerprintOf,
  laneOf,
  MOVED_HEADER,
  partitionForKey,
  partitionKeyOf,
  ROW_VERSION_HEADER,
  USAGE_ROW_VERSION,
  type BusRecord,
  type UsageEvent,
} from '@lanewatch/ingest/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FencedError, LedgerUnavailableError } from '../ledger/ledger.ts';
import { createPlacement, moveRecords, type Move } from './move.ts';
import { NOON, usageEvent } from './testing/events.ts';
import { createClock, startPipeline } from './testing/harness.ts';
import { createMemoryLedger, HeldBackError, type MemoryLedger } from './testing/memory-ledger.ts';

const COUNT = 3;
const PARTITIONS = [0, 1, 2];

/** The event of a number: the same one whoever sends it and wherever it lies. Few lanes, some known by hint, some of no key. */
function eventOf(number: number): UsageEvent {
  const lane = number % 5;
  return usageEvent({
    id: String(number),
    fingerprint: lane < 3 ? fingerprintOf(`lane ${lane}`) : '',
    hint: lane === 3 ? 'sk-...1' : '',
    session: `s${number % 3}`,
    user: ['ana', 'ben', 'cleo', 'dan'][number % 4]!,
    time: NOON - number * 60_000,
    collector: '',
  });
}
const homeOf = (event: UsageEvent, count = COUNT) => partitionForKey(partitionKeyOf(event), count);

/** As another producer's object. */
function objectOf(event: UsageEvent): object {
  const { source, id, time, fingerprint, hint, org, session, user } = event;
  return { source, id, time: new Date(time).toISOString(), credential: { fingerprint, hint }, org, session, user };
}

/** A topic in memory. */
function createTopic() {
  const log = new Map<number, BusRecord[]>(PARTITIONS.map((partition) => [partition, []]));
  return {
    log,
    append(partition: number, value: Buffer, headers: Record<string, string>) {
      const own = log.get(partition)!;
      own.push({ partition, offset: own.length, key: null, value, headers, timestamp: NOON });
    },
    publish(moves: Move[]) {
      for (const { partition, value, headers } of moveRecords(moves))
        this.append(partition!, Buffer.from(value), headers!);
    },
  };
}
type Topic = ReturnType<typeof createTopic>;

const topicArbitrary = fc.array(
  fc.record({
    partition: fc.constantFrom(...PARTITIONS),
    events: fc.array(fc.nat(30), { minLength: 1, maxLength: 4 }),
    isObject: fc.boolean(),
  }),
  { minLength: 1, maxLength: 15 },
);

function topicOf(records: { partition: number; events: number[]; isObject: boolean }[]): Topic {
  const topic = createTopic();
  for (const { partition, events, isObject } of records) {
    const all = events.map(eventOf);
    if (isObject) topic.append(partition, Buffer.from(JSON.stringify(all.map(objectOf))), {});
    else {
      const rows = Buffer.from(all.map(encodeUsageRow).join('\n'));
      topic.append(partition, rows, { [ROW_VERSION_HEADER]: USAGE_ROW_VERSION });
    }
  }
  return topic;
}

/** One life of detectors that share the partitions like this. They read what is there and what they put there meanwhile. */
async function live(
  ledger: MemoryLedger,
  topic: Topic,
  shares: number[][],
  clock: ReturnType<typeof createClock>,
  publishMoves: (moves: Move[]) => Promise<Move[]>,
  count = COUNT,
): Promise<void> {
  const detectors = await Promise.all(
    shares.map(async (partitions) => {
      const placement = () => Promise.resolve(createPlacement(count));
      const { pipeline } = startPipeline(ledger, [], { publishMoves, placement }, clock);
      const resume = await pipeline.onAssignment(partitions);
      return { pipeline, next: new Map(partitions.map((partition) => [partition, resume.get(partition) ?? 0])) };
    }),
  );
  const TURNS = 12;
  for (let turn = 0; turn < TURNS; turn++) {
    for (const { pipeline, next } of detectors)
      for (const [partition, from] of next) {
        const records = topic.log.get(partition)!.slice(from);
        if (records.length === 0) continue;
        next.set(partition, from + records.length);
        await pipeline.onBatch({ partition, records, endOffset: from + records.length });
      }
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  await Promise.all(detectors.map(({ pipeline }) => pipeline.close()));
}

const isReadToItsEnd = async (ledger: MemoryLedger, topic: Topic) => {
  const resume = await ledger.resumeOffsets(PARTITIONS);
  return PARTITIONS.every((partition) => (resume.get(partition) ?? 0) === topic.log.get(partition)!.length);
};
const sorted = ({ findings }: MemoryLedger) => [...findings.values()].sort((a, b) => (a.id < b.id ? -1 : 1));

describe('an event that lies on another partition than its key’s', () => {
  test('is stored once, on its own, and its lane judged whole, whatever fails, wherever detectors die, however they share', async () => {
    await fc.assert(
      fc.asyncProperty(
        topicArbitrary,
        fc.array(fc.constantFrom('fail', 'crash', 'held', 'arrive', 'ok'), { maxLength: 25 }),
        fc.array(fc.constantFrom<number[][]>([[0, 1, 2]], [[0], [1, 2]], [[2, 0], [1]], [[0], [1], [2]]), {
          minLength: 1,
        }),
        async (records, fates, splits) => {
          const topic = topicOf(records);
          const sent = new Set(records.flatMap(({ events }) => events.map(String)));
          const ledger = createMemoryLedger();
          const clock = createClock();
          const remaining = [...fates];
          let isDead = false;
          const meet = (): string | undefined => {
            if (isDead) throw new FencedError('dead');
            const fate = remaining.shift();
            if (fate === 'crash') isDead = true;
            return fate;
          };
          ledger.intercept = () => {
            const fate = meet();
            if (fate === 'arrive') ledger.deliverLate();
            if (fate === 'held') throw new HeldBackError(fate);
            if (fate === 'crash' || fate === 'fail') throw new LedgerUnavailableError(fate);
          };
          const publishMoves = async (moves: Move[]) => {
            const fate = meet();
            if (fate === 'fail') throw new BusUnavailableError(fate);
            // Some of it arrives when a process dies, all of it when only the answer is lost.
            topic.publish(fate === 'crash' ? moves.slice(0, moves.length >> 1) : moves);
            if (fate === 'crash' || fate === 'held') throw new BusUnavailableError(fate);
            return [];
          };
          // Who died has one more life, also when all was read: a finding may be left to write.
          for (let life = 0; remaining.length > 0 || isDead || !(await isReadToItsEnd(ledger, topic)); life++) {
            if (life > 60) expect.unreachable('the topic is never read to its end');
            isDead = false;
            await live(ledger, topic, splits[life % splits.length]!, clock, publishMoves);
            if (life > fates.length) remaining.length = 0;
          }
          ledger.deliverLate();

          expect(ledger.rows.map(({ id }) => id).sort()).toEqual([...sent].sort());
          for (const row of ledger.rows) expect(row.kafka_partition).toBe(homeOf(eventOf(Number(row.id))));
          const undisturbed = createMemoryLedger();
          await live(undisturbed, topic, [PARTITIONS], createClock(), () => Promise.resolve([]));
          expect(sorted(ledger)).toEqual(sorted(undisturbed));
        },
      ),
      { numRuns: 100 },
    );
  });

  test('keeps what the bus told of it, and leaves its neighbours where they lie', async () => {
    const mine = [0, 1, 2, 3, 4, 5, 6].map(eventOf);
    const topic = createTopic();
    topic.append(homeOf(mine[0]!), Buffer.from(mine.map((event) => JSON.stringify(objectOf(event))).join('\n')), {});
    const ledger = createMemoryLedger();
    await live(ledger, topic, [PARTITIONS], createClock(), async (moves) => {
      topic.publish(moves);
      return [];
    });
    const places = ledger.rows.map((row) => [row.id, row.received_at, row.kafka_partition, row.lane]).sort();
    expect(places).toEqual(
      mine.map((event) => [event.id, NOON, homeOf(event), laneOf(event.fingerprint, event.hint, event.org)]).sort(),
    );
    expect(new Set(ledger.rows.map((row) => row.kafka_partition)).size).toBeGreaterThan(1);
  });

  test('is a dead letter with its reason when the bus will never take it on its own partition', async () => {
    const event = eventOf(1);
    const topic = createTopic();
    const lyingOn = (homeOf(event) + 1) % COUNT;
    topic.append(lyingOn, Buffer.from(JSON.stringify(objectOf(event))), {});
    const { pipeline, deadLetters } = startPipeline(createMemoryLedger(), [], {
      publishMoves: async (moves) => moves,
      placement: async () => createPlacement(COUNT),
    });
    await pipeline.onAssignment(PARTITIONS);
    await pipeline.onBatch({ partition: lyingOn, records: topic.log.get(lyingOn)!, endOffset: 1 });
    await pipeline.close();
    expect(deadLetters).toMatchObject([{ partition: lyingOn, offset: 0, recordIndex: 0 }]);
    expect(deadLetters[0]!.reason).toContain(`partition ${homeOf(event)}`);
  });

  test('is moved again once the topic has more partitions, and never by a detector that knows of fewer', async () => {
    const grown = Array.from({ length: 40 }, (_, number) => eventOf(number)).find(
      (event) => homeOf(event, 2) !== homeOf(event, COUNT),
    )!;
    const topic = createTopic();
    const moved = { [ROW_VERSION_HEADER]: USAGE_ROW_VERSION, [MOVED_HEADER]: '2' };
    topic.append(homeOf(grown, 2), Buffer.from(encodeUsageRow(grown)), moved);
    const ledger = createMemoryLedger();
    let moves = 0;
    const publishMoves = async (some: Move[]) => {
      moves += some.length;
      topic.publish(some);
      return [];
    };
    await live(ledger, topic, [PARTITIONS], createClock(), publishMoves);
    expect([moves, ledger.rows.map((row) => row.kafka_partition)]).toEqual([1, [homeOf(grown, COUNT)]]);
    const late = createMemoryLedger();
    await live(late, topic, [[homeOf(grown, COUNT)]], createClock(), publishMoves, 2);
    expect([moves, late.rows.length]).toEqual([1, 1]);
  });
});

test('an event stored before partitions were added is known where its key belongs since, to a detector that never had it', async () => {
  const event = Array.from({ length: 40 }, (_, number) => eventOf(number)).find(
    (one) => homeOf(one, 2) !== homeOf(one, COUNT),
  )!;
  const topic = createTopic();
  const ledger = createMemoryLedger();
  const clock = createClock();
  const row = [Buffer.from(encodeUsageRow(event)), { [ROW_VERSION_HEADER]: USAGE_ROW_VERSION }] as const;
  const none = () => Promise.resolve([]);
  topic.append(homeOf(event, 2), ...row);
  await live(ledger, topic, [[0], [1]], clock, none, 2);
  topic.append(homeOf(event), ...row);
  await live(
    ledger,
    topic,
    PARTITIONS.map((partition) => [partition]),
    clock,
    none,
  );
  expect(ledger.rows.map((stored) => stored.kafka_partition)).toEqual([homeOf(event, 2)]);
});

test('an address whose keys several detectors see has a finding of each key, which counts exactly the rows that carry it', async () => {
  const topic = createTopic();
  for (let number = 0; number < 60; number++) {
    const fingerprint = fingerprintOf(`key ${number % 20}`);
    const event = usageEvent({ id: String(number), fingerprint, ip: '203.0.113.7', time: NOON - number * 1000 });
    const headers = { [ROW_VERSION_HEADER]: USAGE_ROW_VERSION };
    topic.append(homeOf(event), Buffer.from(encodeUsageRow(event)), headers);
  }
  const ledger = createMemoryLedger();
  await live(ledger, topic, [[0], [1, 2]], createClock(), () => Promise.resolve([]));
  const findings = sorted(ledger).filter(({ rule }) => rule === 'R25');
  for (const { id, lane, occurrences } of findings) {
    const carrying = ledger.rows.filter((row) => row.findings.includes(id));
    expect(carrying.map((row) => row.lane)).toEqual(Array.from({ length: occurrences }, () => lane));
  }
  // The first two keys that each detector sees are too few, until they come again.
  expect(new Set(findings.map(({ lane }) => lane)).size).toBe(20);
});
