import { partitionForKey, UNATTRIBUTED_LANE } from '@lanewatch/ingest/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FINDINGS_TABLE, type Finding, type LedgerRow } from '../../contract/index.ts';
import { createMemoryLedger, type MemoryLedger } from '../pipeline/testing/memory-ledger.ts';
import { LANE_DIMENSIONS, type FindingTally, type LaneIdentity, type LaneValue, type Ledger } from './ledger.ts';
import {
  insertRows,
  finding,
  ledgerRow,
  openTestLedger,
  startTestEngine,
  type TestEngine,
  type TestLedger,
} from './testing.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NOON = Date.UTC(2026, 10, 20, 12);
const BATCHES = 6;
const ROWS_PER_BATCH = 400;

/** One that goes on, one of the first batches only on a lane that goes on, and one on a lane beside others. */
function findingsOf(key: number, batch: number, index: number): string[] {
  if (key === 0) return batch < 2 ? [idOf('R01', 0)] : [];
  if (key === 1) return index % 40 === 0 ? [idOf('R01', 1), idOf('R05', 9)] : [idOf('R01', 1)];
  return key === 5 ? [idOf('R01', 5)] : [];
}

function laneOfKey(key: number): string {
  if (key === 8) return 'hint_0123';
  return key === 7 ? UNATTRIBUTED_LANE : `lane-${key}`;
}

/** People, and what stands for none. */
function userOf(number: number): string {
  return (
    ['Unknown', 'A'.repeat(64), '10.0.0.7', 'fe80::1%eth0', '10.0.0', 'a:b', 'unKnown'][number] ?? `user-${number}`
  );
}

/**
 * Batches half a day apart, with late events and some from the beginning of time, keys known by hint only or not at all, endpoints
 * without address, findings old and new, and a lane whose events go to another partition half-way.
 */
function history(): LedgerRow[][] {
  return Array.from({ length: BATCHES }, (_batch, batch) => {
    const stored_at = NOON + batch * 12 * HOUR_MS;
    return Array.from({ length: ROWS_PER_BATCH }, (_row, index) => {
      const number = batch * ROWS_PER_BATCH + index;
      const key = number % 9;
      const partition = key === 5 && batch >= 3 ? 0 : key % 3;
      const late = number % 17 === 0 ? 3 * DAY_MS : 0;
      return ledgerRow({
        id: `event-${number}`,
        lane: laneOfKey(key),
        fingerprint: key < 7 ? laneOfKey(key) : '',
        hint: number % 10 === 0 ? `sk-...${key}${batch}` : '',
        org: index % 2 === 0 ? `org-${batch}` : '',
        credential_id: key % 2 === 0 ? '' : `credential-${batch}`,
        user: number % 5 === 0 ? '' : userOf(number % 17),
        ip: number % 3 === 0 ? '' : `10.0.0.${number % 20}`,
        host: number % 4 === 0 ? '' : `host-${number % 6}`,
        session: `session-${Math.floor(number / 7)}`,
        repo: `repo-${number % 4}`,
        environment: number % 6 === 0 ? '' : `environment-${number % 3}`,
        cost_nano_usd: 1_000_000_007 + number,
        findings: findingsOf(key, batch, index),
        evidence: number % 3 === 0 ? findingsOf(key, batch, index).map((id) => `${id} {"row":${number}}`) : [],
        lane_profile: number % 150 === 1 ? `profile behind ${number}` : '',
        outcome: number % 7 === 0 ? 'denied' : 'success',
        event_hash_low: (number * 2_654_435_761) >>> 0,
        event_hash_high: 0xffff_ffff - number,
        kafka_partition: partition,
        kafka_offset: Math.floor(number / 9),
        record_index: index,
        seen_at: number % 101 === 0 ? 0 : stored_at - 1_000 - index * 60 - late,
        received_at: stored_at - 500,
        stored_at,
      });
    });
  });
}

const writeOf = (changes: Partial<Finding>) => ({ finding: finding(changes), partition: 0 });
const idOf = (rule: string, number: number) => `${rule}-${String(number).padStart(24, '0')}`;
const byId = (left: FindingTally, right: FindingTally) => (left.id < right.id ? -1 : 1);

describe('restoring', () => {
  let engine: TestEngine;
  let test: TestLedger;
  const batches = history();
  const rows = batches.flat();

  beforeAll(async () => {
    engine = await startTestEngine();
    test = await openTestLedger(engine);
    await test.ledger.claim([0, 1, 2], 'first');
    for (const batch of batches) await insertRows(test.ledger, batch);
  });
  afterAll(async () => {
    await test.close();
    await engine.stop();
  });

  const grouped = <Value>(of: LedgerRow[], keyOf: (row: LedgerRow) => Value) => {
    const groups = new Map<Value, LedgerRow[]>();
    for (const row of of) groups.set(keyOf(row), [...(groups.get(keyOf(row)) ?? []), row]);
    return groups;
  };
  const byText = <T>(items: T[]) => items.map((item) => JSON.stringify(item)).sort();

  describe('the resume point', () => {
    it('is the offset after the last stored record, per partition; partitions without rows are absent', async () => {
      const expected = [...grouped(rows, (row) => row.kafka_partition)].map(
        ([partition, of]) => [partition, Math.max(...of.map((row) => row.kafka_offset)) + 1] as const,
      );
      expect(await test.ledger.resumeOffsets([0, 1, 2, 3])).toEqual(new Map(expected));
      expect(await test.ledger.resumeOffsets([3])).toEqual(new Map());
      expect(await test.ledger.resumeOffsets([])).toEqual(new Map());
    });

    it('forgets a partition’s offsets from before its topic was made anew', async () => {
      const own = await openTestLedger(engine);
      try {
        await own.ledger.claim([0, 1, 2], 'first');
        const store = (kafka_partition: number, kafka_offset: number, stored_at: number) =>
          insertRows(own.ledger, [ledgerRow({ kafka_partition, kafka_offset, stored_at })]);
        for (const partition of [0, 1]) await store(partition, 99, NOON);
        await own.ledger.resetPartitions([0, 2]);
        expect(await own.ledger.resumeOffsets([0, 1, 2])).toEqual(new Map([[1, 100]]));
        await store(0, 4, NOON + 1);
        expect(await own.ledger.resumeOffsets([0, 1])).toEqual(
          new Map([
            [0, 5],
            [1, 100],
          ]),
        );
        await own.ledger.resetPartitions([0]);
        expect(await own.ledger.resumeOffsets([0])).toEqual(new Map());
      } finally {
        await own.close();
      }
    });

    it('is further where records brought no row, until the topic is made anew', async () => {
      const own = await openTestLedger(engine);
      try {
        await own.ledger.claim([0, 1, 2], 'first');
        const note = (partition: number, nextOffset: number, storedAtMs: number) =>
          own.ledger.noteProgress(new Map([[partition, nextOffset]]), storedAtMs, 'first');
        await insertRows(own.ledger, [ledgerRow({ kafka_partition: 0, kafka_offset: 9, stored_at: NOON })]);
        await insertRows(own.ledger, [ledgerRow({ kafka_partition: 1, kafka_offset: 9, stored_at: NOON })]);
        await note(0, 12, NOON);
        await note(1, 4, NOON - 1);
        await note(2, 7, NOON + 5);
        const resumed = () => own.ledger.resumeOffsets([0, 1, 2]);
        expect(await resumed()).toEqual(new Map([0, 1, 2].map((partition, at) => [partition, [12, 10, 7][at]])));
        await own.client.command({ query: `OPTIMIZE TABLE ${own.database}.progress FINAL` });
        expect((await resumed()).get(0)).toBe(12);
        await own.ledger.resetPartitions([0, 2]);
        expect(await resumed()).toEqual(new Map([[1, 10]]));
        await note(2, 3, NOON + 6);
        expect((await resumed()).get(2)).toBe(3);
      } finally {
        await own.close();
      }
    });

    it('is read from the projection, not from the rows', async () => {
      const plan = await test.rows<[string]>(
        'EXPLAIN SELECT kafka_partition, max(kafka_offset) FROM {database}.ledger WHERE kafka_partition IN (0, 1) GROUP BY kafka_partition',
      );
      expect(plan.flat().join('\n')).toContain('ReadFromMergeTree (calls_by_day_and_lane)');
    });
  });

  it('hands over of each lane the row that carries its profile last, and those behind it in their order', async () => {
    const memory = await filledMemory();
    for (const [partitions, sinceMs] of [
      [[0, 1, 2], 0],
      [[1], NOON + 30 * HOUR_MS],
    ] as const) {
      const of = async (ledger: Ledger) => {
        const handed: Record<string, unknown[]> = {};
        await ledger.restoreProfiles(
          [...partitions],
          sinceMs,
          ({ lane, lane_profile, seen_at, ip, model, cost_nano_usd }) => {
            const carried = handed[lane] === undefined ? lane_profile : '';
            (handed[lane] ??= []).push([carried, seen_at, ip, model, cost_nano_usd]);
          },
        );
        return handed;
      };
      expect(await of(test.ledger)).toEqual(await of(memory));
    }
  });

  it('hands over the keys of each address that nobody is known behind, and whose work ran on which key', async () => {
    const memory = await filledMemory();
    const of = async (ledger: Ledger) => {
      const uses = new Map<string, number>();
      await ledger.restoreAddresses([0, 1, 2], NOON, ({ ip, lane, org, lastMs }) => {
        const name = [ip, lane, org].join(' ');
        uses.set(name, Math.max(uses.get(name) ?? 0, lastMs));
      });
      const work = new Set<string>();
      await ledger.restoreWork([0, 2], NOON + 1, (use) => work.add(JSON.stringify(use)));
      expect([uses.size > 10, work.size > 10]).toEqual([true, true]);
      return { uses: [...uses].sort(), work: [...work].sort() };
    };
    expect(await of(test.ledger)).toEqual(await of(memory));
  });

  async function filledMemory(): Promise<MemoryLedger> {
    const memory = createMemoryLedger();
    memory.rows.push(...rows);
    return memory;
  }

  describe('the dedupe window', () => {
    /** Partitions that the topic has by now; rows were stored when they were placed otherwise. */
    const COUNT = 4;
    async function restored(partitions: number[], sinceMs: number, limit: number): Promise<string[]> {
      const hashes: string[] = [];
      let before = 0;
      await test.ledger.restoreHashes(partitions, COUNT, sinceMs, limit, (low, high, storedAtMs) => {
        expect(storedAtMs).toBeGreaterThanOrEqual(before);
        before = storedAtMs;
        hashes.push(`${storedAtMs} ${high} ${low}`);
      });
      return hashes.sort();
    }
    const expected = (of: LedgerRow[]) =>
      of.map((row) => `${row.stored_at} ${row.event_hash_high} ${row.event_hash_low}`).sort();

    it('holds the hash of every row stored since, oldest first', async () => {
      const since = NOON + 12 * HOUR_MS;
      expect(await restored([0, 1, 2], since, 1e6)).toEqual(expected(rows.filter((row) => row.stored_at >= since)));
    });

    it('holds what lies in the partitions asked for, and what belongs there since some were added, and nothing else', async () => {
      const keyOf = (row: LedgerRow) => (row.lane === UNATTRIBUTED_LANE ? row.session : row.lane);
      const own = rows.filter((row) => row.kafka_partition === 0 || partitionForKey(keyOf(row), COUNT) === 0);
      const elsewhere = own.filter((row) => row.kafka_partition !== 0).map(({ lane }) => lane);
      expect(elsewhere).toContain(UNATTRIBUTED_LANE);
      expect(new Set(elsewhere).size).toBeGreaterThan(1);
      expect(own.length).toBeLessThan(rows.length);
      expect(await restored([0], 0, 1e6)).toEqual(expected(own));
      expect(await restored([], 0, 1e6)).toEqual([]);
    });

    it('holds the newest when there are more than the limit', async () => {
      const newest = batches.slice(-2).flat();
      expect(await restored([0, 1, 2], 0, newest.length)).toEqual(expected(newest));
      expect(await restored([0, 1, 2], 0, 0)).toEqual([]);
    });
  });

  /** The double that the pipeline is tested on, with the same rows: what it restores is what the engine must. */
  async function double(): Promise<MemoryLedger> {
    const memory = createMemoryLedger();
    await memory.claim([0, 1, 2], 'first');
    for (const batch of batches) await insertRows(memory, batch);
    return memory;
  }
  async function collect<Item>(restore: (onItem: (item: Item) => void) => Promise<void>): Promise<Item[]> {
    const items: Item[] = [];
    await restore((item) => items.push(item));
    return items;
  }
  const scopes: [number[], number][] = [
    [[0, 1, 2], 0],
    [[0, 1, 2], NOON + 30 * HOUR_MS],
    [[0, 2], NOON + 12 * HOUR_MS],
    [[1], NOON + 3 * DAY_MS],
    [[], 0],
  ];

  describe.each(scopes)('of partitions %j since %i, as the double has it', (partitions, since) => {
    it.each([2, 1000])('lanes, at most %i', async (limit) => {
      const lanesOf = (ledger: Ledger) =>
        collect<LaneIdentity>((onLane) =>
          ledger.restoreLanes(partitions, since, limit, ({ lane, fingerprint, kafka_partition }) =>
            onLane({ lane, fingerprint, kafka_partition }),
          ),
        );
      expect(await lanesOf(test.ledger)).toEqual(await lanesOf(await double()));
    });

    it.each([3, 1000])('the %i most recent values of each dimension of each lane', async (limit) => {
      const valuesOf = (ledger: Ledger) =>
        collect<LaneValue>(async (onValue) => {
          for (const dimension of LANE_DIMENSIONS)
            await ledger.restoreValues(partitions, since, { dimension, limit, windowMs: 6 * HOUR_MS }, onValue);
        });
      expect(byText(await valuesOf(test.ledger))).toEqual(byText(await valuesOf(await double())));
    });

    it('findings, with all their rows', async () => {
      const findingsOf = async (ledger: Ledger) =>
        (await collect<FindingTally>((onTally) => ledger.restoreFindings(partitions, since, onTally))).sort(byId);
      expect(await findingsOf(test.ledger)).toEqual(await findingsOf(await double()));
    });
  });

  it('leaves out the lane of events without a key, which no running detector holds', async () => {
    const restored = new Set<string>();
    await test.ledger.restoreLanes([0, 1, 2], 0, 1000, ({ lane }) => restored.add(lane));
    for (const dimension of LANE_DIMENSIONS)
      await test.ledger.restoreValues([0, 1, 2], 0, { dimension, limit: 1000, windowMs: DAY_MS }, ({ lane }) =>
        restored.add(lane),
      );
    expect(rows.some(({ lane }) => lane === UNATTRIBUTED_LANE)).toBe(true);
    expect(restored).toEqual(new Set([0, 1, 2, 3, 4, 5, 6, 8].map(laneOfKey)));
  });

  it('known findings are tallied over all their rows, others are left out', async () => {
    const known = [idOf('R01', 0), idOf('R05', 9)];
    const wanted = [...known, idOf('R01', 1)].map((id) => ({ id, lane: id.startsWith('R05') ? 'lane-1' : 'lane-0' }));
    const memory = await double();
    const tallies: FindingTally[][] = [];
    for (const ledger of [test.ledger, memory]) {
      await ledger.writeFindings(
        known.map((id) => writeOf({ id, occurrences: 1 })),
        'first',
      );
      tallies.push((await collect<FindingTally>((onTally) => ledger.tallyKnownFindings(wanted, onTally))).sort(byId));
    }
    expect(tallies[0]).toEqual(tallies[1]);
    expect(tallies[0]?.map(({ id }) => id)).toEqual([idOf('R01', 0), idOf('R05', 9)]);
  });

  it('a finding whose cost is beyond 64 bits of nano-dollars is tallied, an ordinary one to the nano-dollar', async () => {
    const own = await openTestLedger(engine);
    try {
      await own.ledger.claim([0], 'first');
      const absurd = Array.from({ length: 1_025 }, (_, index) =>
        ledgerRow({ findings: [idOf('R01', 0)], cost_nano_usd: 9e15, kafka_offset: index }),
      );
      const exact = ledgerRow({ findings: [idOf('R01', 1)], cost_nano_usd: 9e15 - 1, kafka_offset: 1_025 });
      await insertRows(own.ledger, [...absurd, exact]);
      const restored = await collect<FindingTally>((onTally) => own.ledger.restoreFindings([0], 0, onTally));
      expect(restored.sort(byId).map(({ cost_nano_usd }) => cost_nano_usd)).toEqual([1_025 * 9e15, 9e15 - 1]);
    } finally {
      await own.close();
    }
  });

  describe('findings', () => {
    it('come back as they were written; unknown ids are left out', async () => {
      const first = finding();
      const second = finding({ id: 'R05-0123456789abcdef01234567', rule: 'R05', severity: 'medium', risk: 47 });
      await test.ledger.writeFindings(
        [first, second].map((written) => ({ finding: written, partition: 0 })),
        'first',
      );
      const read = await test.ledger.readFindings([second.id, first.id, 'R01-ffffffffffffffffffffffff']);
      expect(byText(read)).toEqual(byText([first, second]));
      expect(await test.ledger.readFindings([])).toEqual([]);
    });

    it('keep the state with most occurrences, in whatever order states are written and merged', async () => {
      const id = 'R01-aaaaaaaaaaaaaaaaaaaaaaaa';
      for (const occurrences of [2, 7, 3, 7, 1])
        await test.ledger.writeFindings([writeOf({ id, occurrences })], 'first');
      expect((await test.ledger.readFindings([id])).map(({ occurrences }) => occurrences)).toEqual([7]);
      await test.client.command({ query: `OPTIMIZE TABLE ${test.database}.${FINDINGS_TABLE} FINAL` });
      expect((await test.ledger.readFindings([id])).map(({ occurrences }) => occurrences)).toEqual([7]);
    });

    it('are read and written by the thousand', async () => {
      const many = Array.from({ length: 5_500 }, (_, index) =>
        finding({ id: `R02-${String(index).padStart(24, '0')}`, rule: 'R02', occurrences: index + 1 }),
      );
      await test.ledger.writeFindings(
        many.map((written) => ({ finding: written, partition: 0 })),
        'first',
      );
      const read = await test.ledger.readFindings(many.map(({ id }) => id));
      expect(byText(read)).toEqual(byText(many));
    });
  });
});
