import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FINDINGS_TABLE, type Finding, type LedgerRow } from '../../contract/index.ts';
import { LANE_DIMENSIONS, type FindingTally, type LaneTotals, type LaneValue } from './ledger.ts';
import { ledgerRow, openTestLedger, startTestEngine, type TestEngine, type TestLedger } from './testing.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NOON = Date.UTC(2026, 10, 20, 12);
const BATCHES = 6;
const ROWS_PER_BATCH = 400;

/** Batches half a day apart, with late events, keys known by hint only, endpoints without address, findings. */
function history(): LedgerRow[][] {
  return Array.from({ length: BATCHES }, (_batch, batch) => {
    const stored_at = NOON + batch * 12 * HOUR_MS;
    return Array.from({ length: ROWS_PER_BATCH }, (_row, index) => {
      const number = batch * ROWS_PER_BATCH + index;
      const key = number % 9;
      const partition = key % 3;
      const late = number % 17 === 0 ? 3 * DAY_MS : 0;
      return ledgerRow({
        id: `event-${number}`,
        lane: key === 8 ? 'hint_0123' : `lane-${key}`,
        fingerprint: key === 8 ? '' : `lane-${key}`,
        hint: `sk-...${key}${batch}`,
        org: `org-${batch}`,
        credential_id: key % 2 === 0 ? '' : `credential-${batch}`,
        user: number % 5 === 0 ? '' : `user-${number % 13}`,
        ip: number % 3 === 0 ? '' : `10.0.0.${number % 20}`,
        host: number % 4 === 0 ? '' : `host-${number % 6}`,
        session: `session-${Math.floor(number / 7)}`,
        repo: `repo-${number % 4}`,
        cost_nano_usd: 1_000_000_007 + number,
        findings: key < 2 ? [`R01-${key}`, 'R05-all'] : [],
        event_hash_low: (number * 2_654_435_761) >>> 0,
        event_hash_high: 0xffff_ffff - number,
        kafka_partition: partition,
        kafka_offset: Math.floor(number / 9),
        record_index: index,
        seen_at: stored_at - 1_000 - index * 60 - late,
        received_at: stored_at - 500,
        stored_at,
      });
    });
  });
}

describe('restoring', () => {
  let engine: TestEngine;
  let test: TestLedger;
  const batches = history();
  const rows = batches.flat();

  beforeAll(async () => {
    engine = await startTestEngine();
    test = await openTestLedger(engine);
    await test.ledger.claim([0, 1, 2], 'first');
    for (const [index, batch] of batches.entries()) await test.ledger.insert(batch, `batch ${index}`);
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
  const earliest = (of: LedgerRow[]) => Math.min(...of.map((row) => row.seen_at));
  const latest = (of: LedgerRow[]) => Math.max(...of.map((row) => row.seen_at));
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

    it('is read from the projection, not from the rows', async () => {
      const plan = await test.rows<[string]>(
        'EXPLAIN SELECT kafka_partition, max(kafka_offset) FROM {database}.ledger WHERE kafka_partition IN (0, 1) GROUP BY kafka_partition',
      );
      expect(plan.flat().join('\n')).toContain('ReadFromMergeTree (by_lane_hour)');
    });
  });

  describe('the dedupe window', () => {
    async function restored(partitions: number[], sinceMs: number, limit: number): Promise<string[]> {
      const hashes: string[] = [];
      let before = 0;
      await test.ledger.restoreHashes(partitions, sinceMs, limit, (low, high, storedAtMs) => {
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

    it('holds only the partitions asked for', async () => {
      expect(await restored([1], 0, 1e6)).toEqual(expected(rows.filter((row) => row.kafka_partition === 1)));
      expect(await restored([], 0, 1e6)).toEqual([]);
    });

    it('holds the newest when there are more than the limit', async () => {
      const newest = batches.slice(-2).flat();
      expect(await restored([0, 1, 2], 0, newest.length)).toEqual(expected(newest));
      expect(await restored([0, 1, 2], 0, 0)).toEqual([]);
    });
  });

  it.each([0, NOON + 12 * HOUR_MS])('totals every lane from the rows seen since %i', async (since) => {
    const restored: LaneTotals[] = [];
    await test.ledger.restoreLanes([0, 2], since, (totals) => restored.push(totals));
    const wanted = rows.filter((row) => row.kafka_partition !== 1 && row.seen_at >= since);
    const expected = [...grouped(wanted, (row) => row.lane)].map(([lane, of]): LaneTotals => {
      const last = of.reduce((newest, row) => (row.seen_at > newest.seen_at ? row : newest));
      return {
        lane,
        kafka_partition: last.kafka_partition,
        fingerprint: last.fingerprint,
        hint: last.hint,
        org: last.org,
        credential_id: last.credential_id,
        events: of.length,
        cost_nano_usd: of.reduce((sum, row) => sum + row.cost_nano_usd, 0),
        first_seen: earliest(of),
        last_seen: latest(of),
      };
    });
    expect(byText(restored)).toEqual(byText(expected));
  });

  it('totals a lane whose cost is beyond 64 bits of nano-dollars', async () => {
    const own = await openTestLedger(engine);
    try {
      await own.ledger.claim([0], 'first');
      const absurd = Array.from({ length: 1_025 }, (_, index) =>
        ledgerRow({ lane: 'absurd', cost_nano_usd: 9e15, kafka_offset: index }),
      );
      await own.ledger.insert([...absurd, ledgerRow({ lane: 'exact', cost_nano_usd: 9e15 - 1 })], 'batch');
      const costs = new Map<string, number>();
      await own.ledger.restoreLanes([0], 0, ({ lane, cost_nano_usd }) => costs.set(lane, cost_nano_usd));
      expect(costs).toEqual(
        new Map([
          ['absurd', 1_025 * 9e15],
          ['exact', 9e15 - 1],
        ]),
      );
    } finally {
      await own.close();
    }
  });

  it.each([3, 1000])('hands over the %i most recent values of each dimension of each lane', async (limit) => {
    const restored: LaneValue[] = [];
    await test.ledger.restoreValues([0, 1, 2], 0, limit, (value) => restored.push(value));
    const expected = LANE_DIMENSIONS.flatMap((dimension) => {
      const valueOf = (row: LedgerRow) => (dimension === 'endpoint' ? row.ip || row.host : row[dimension]);
      return [...grouped(rows, (row) => row.lane)].flatMap(([lane, ofLane]) =>
        [
          ...grouped(
            ofLane.filter((row) => valueOf(row) !== ''),
            valueOf,
          ),
        ]
          .map(([value, of]): LaneValue => ({
            lane,
            dimension,
            value,
            first_seen: earliest(of),
            last_seen: latest(of),
          }))
          .sort((a, b) => b.last_seen - a.last_seen)
          .slice(0, limit),
      );
    });
    expect(byText(restored)).toEqual(byText(expected));
  });

  it('tallies every finding the rows carry, receipt included', async () => {
    const restored: FindingTally[] = [];
    await test.ledger.restoreFindings([0, 1, 2], 0, (tally) => restored.push(tally));
    const ids = [...new Set(rows.flatMap((row) => row.findings))];
    const expected = ids.map((id) => {
      const of = rows.filter((row) => row.findings.includes(id));
      return {
        id,
        occurrences: of.length,
        first_seen: earliest(of),
        last_seen: latest(of),
        last_received_at: Math.max(...of.map((row) => row.received_at)),
      };
    });
    expect(ids).toHaveLength(3);
    expect(byText(restored.map(({ lane: _lane, ...tally }) => tally))).toEqual(byText(expected));
    expect(restored.find(({ id }) => id === 'R01-1')?.lane).toBe('lane-1');
  });

  describe('findings', () => {
    const finding = (changes: Partial<Finding> = {}): Finding => ({
      id: 'R01-0123456789abcdef01234567',
      rule: 'R01',
      lane: 'lane-1',
      fingerprint: 'lane-1',
      hint: 'sk-...1',
      org: 'acme',
      credential_id: '',
      severity: 'high',
      risk: 73,
      first_seen: '2026-11-20T12:00:00.001Z',
      last_seen: '2026-11-20T12:00:00.999Z',
      last_received_at: '2026-11-20T12:00:01.000Z',
      occurrences: 2,
      facts: { people: ['a', 'b\n"'], spend_usd: 5.25, active: true, text: '' },
      parameters: { spend_usd: 5 },
      ledger_filter: { finding: 'R01-0123456789abcdef01234567' },
      ...changes,
    });

    it('come back as they were written; unknown ids are left out', async () => {
      const first = finding();
      const second = finding({ id: 'R05-0123456789abcdef01234567', rule: 'R05', severity: 'medium', risk: 47 });
      await test.ledger.writeFindings([first, second]);
      const read = await test.ledger.readFindings([second.id, first.id, 'R01-ffffffffffffffffffffffff']);
      expect(byText(read)).toEqual(byText([first, second]));
      expect(await test.ledger.readFindings([])).toEqual([]);
    });

    it('keep the state with most occurrences, in whatever order states are written and merged', async () => {
      const id = 'R01-aaaaaaaaaaaaaaaaaaaaaaaa';
      for (const occurrences of [2, 7, 3, 7, 1]) await test.ledger.writeFindings([finding({ id, occurrences })]);
      expect((await test.ledger.readFindings([id])).map(({ occurrences }) => occurrences)).toEqual([7]);
      await test.client.command({ query: `OPTIMIZE TABLE ${test.database}.${FINDINGS_TABLE} FINAL` });
      expect((await test.ledger.readFindings([id])).map(({ occurrences }) => occurrences)).toEqual([7]);
    });

    it('are read and written by the thousand', async () => {
      const many = Array.from({ length: 6_000 }, (_, index) =>
        finding({ id: `R02-${String(index).padStart(24, '0')}`, rule: 'R02', occurrences: index + 1 }),
      );
      await test.ledger.writeFindings(many);
      const ids = many.slice(0, 1_000).map(({ id }) => id);
      const read = await test.ledger.readFindings(ids);
      expect(byText(read)).toEqual(byText(many.slice(0, 1_000)));
    });
  });
});
