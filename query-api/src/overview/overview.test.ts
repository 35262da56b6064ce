import { expect, test } from 'vitest';
import type { ClickHouse } from '../clickhouse.ts';
import { createLaneSnapshots } from '../lanes/snapshot.ts';
import type { RegistryDatabase } from '../registry/database.ts';
import { snapshotOf } from '../registry/view.ts';
import { createCollectorTotals } from './collectors.ts';
import { createOverviews, lanesOfSnapshot } from './overview.ts';

const NOW = Date.UTC(2026, 10, 21, 12);
const LANE = {
  ...{
    lane: 'a'.repeat(64),
    fingerprint: 'a'.repeat(64),
    hint: '',
    hint_org: '',
    org: '',
    provider: '',
    cost_usd: '1',
  },
  ...{ events: 1, first_seen: NOW, last_seen: NOW },
};
const noRows = {
  leftJoin: () => noRows,
  selectAll: () => noRows,
  select: () => noRows,
  execute: async () => [],
};
const noTriage = { selectFrom: () => noRows };

/** A ledger with one unknown lane that takes `readMs` for a read of all lanes, and what reads it by pages. */
function stage(readMs = 0) {
  const clock = { ms: NOW };
  const asked = { lanes: 0, banner: 0 };
  const faults: Error[] = [];
  const answer = (sql: string): object[] => {
    const fault = faults.pop();
    if (fault !== undefined) throw fault;
    if (sql.includes('argMax(')) asked.banner++;
    if (!sql.includes('AS live_sessions')) return [];
    asked.lanes++;
    clock.ms += readMs;
    return [LANE];
  };
  const store: ClickHouse = {
    database: 'test',
    rows: async <Row>(sql: string) => answer(sql) as Row[],
    stream: async <Row>(sql: string, _parameters: unknown, onRow: (row: Row) => void) => {
      for (const row of answer(sql)) onRow(row as Row);
    },
    mirror: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
  const now = () => clock.ms;
  const snapshots = createLaneSnapshots(store, noTriage as unknown as RegistryDatabase, { keptMs: 400, now });
  const overviews = createOverviews(store, createCollectorTotals(), now);
  let registry = snapshotOf(1, []);
  const changeRegistry = () => (registry = snapshotOf(registry.version + 1, []));
  const page = async (window: '7d' | '90d' = '7d') => overviews(await snapshots.read(window), registry);
  return { clock, asked, faults, changeRegistry, page, snapshots };
}

test('pages that ask at once or soon after share one read of the ledger, each window its own', async () => {
  const { clock, asked, page } = stage();
  const [first, second] = await Promise.all([page(), page()]);
  expect(first).toEqual(second);
  clock.ms += 399;
  await page();
  expect(asked).toEqual({ lanes: 1, banner: 1 });
  await page('90d');
  clock.ms += 1;
  await page();
  expect(asked).toEqual({ lanes: 3, banner: 3 });
});

test.each([
  [1_000, 2_000],
  [5_000, 10_000],
  [25_000, 10_000],
])('what a read of %i ms brought is shared for %i ms after it', async (readMs, keptMs) => {
  const { clock, asked, page } = stage(readMs);
  await page();
  clock.ms = NOW + readMs + keptMs - 1;
  await page();
  expect(asked.lanes).toBe(1);
  clock.ms += 1;
  await page();
  expect(asked.lanes).toBe(2);
});

test('what needs no fresh figures reads none for minutes, and lanes are made once for a snapshot and a registry', async () => {
  const { clock, asked, page, snapshots } = stage();
  await page();
  clock.ms += 5 * 60_000 - 1;
  const recent = await snapshots.recent('7d');
  expect(asked.lanes).toBe(1);
  const registry = snapshotOf(1, []);
  expect(lanesOfSnapshot(recent, registry)).toBe(lanesOfSnapshot(recent, registry));
  expect(lanesOfSnapshot(recent, snapshotOf(1, []))).not.toBe(lanesOfSnapshot(recent, registry));
  clock.ms += 1;
  await snapshots.recent('7d');
  expect(asked.lanes).toBe(2);
});

test('a change of the registry shows at once, without another read of all lanes', async () => {
  const { asked, changeRegistry, page } = stage();
  await page();
  changeRegistry();
  await Promise.all([page(), page()]);
  expect(asked).toEqual({ lanes: 1, banner: 2 });
});

test('a read that failed is tried again by the next page', async () => {
  const { asked, changeRegistry, faults, page } = stage();
  faults.push(new Error('away'));
  await expect(page()).rejects.toThrow('away');
  await page();
  changeRegistry();
  faults.push(new Error('banner away'));
  await expect(page()).rejects.toThrow('banner away');
  await page();
  expect(asked).toEqual({ lanes: 1, banner: 2 });
});
