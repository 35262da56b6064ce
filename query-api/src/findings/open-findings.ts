import { FINDING_STATUSES } from '../../contract/index.ts';
import type { FindingItem, FindingStatus } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import type { RegistryDatabase } from '../registry/database.ts';
import { storedFilter, wantedBy } from './findings.ts';
import type { FindingsQuery } from './findings.ts';
import { chunksOf, HINT_LANE_SQL, readJudged, REQUESTS_MAX } from './judged.ts';
import { narrowedIds } from './narrow.ts';
import { judgedOf } from './rows.ts';
import { findingStatus, isUnresolved, readTriage, severityNow } from './triage.ts';

type BySeverity = Record<FindingItem['severity'], number>;
type ByStatus = Record<FindingStatus, number>;

/** How many findings of each of these lanes want a decision; lanes without one are left out. */
export async function readOpenByLane(
  store: ClickHouse,
  db: RegistryDatabase,
  lanes: readonly string[],
  nowMs: number,
): Promise<ReadonlyMap<string, number>> {
  const open = new Map<string, number>();
  if (lanes.length === 0) return open;
  // Decisions first: one made between the two reads leaves its finding counted once more, never missing.
  const triage = await readTriage(db, nowMs);
  await Promise.all(
    chunksOf(lanes).map((names) =>
      readJudged(store, 'lane IN {lanes:Array(String)}', { lanes: names }, (row) => {
        if (isUnresolved(judgedOf(row), triage)) open.set(row.lane, (open.get(row.lane) ?? 0) + 1);
      }),
    ),
  );
  return open;
}

/** How many findings want a decision, by severity: all of them, less those that a decision has resolved or put off. */
export async function readOpenBySeverity(store: ClickHouse, db: RegistryDatabase, nowMs: number): Promise<BySeverity> {
  const triage = await readTriage(db, nowMs);
  const open: BySeverity = { low: 0, medium: 0, high: 0, critical: 0 };
  const decided = [...new Set([...triage.decisions.keys()].map((key) => key.slice(key.indexOf('/') + 1)))];
  const chunks = [
    ...chunksOf(decided).map((names) => ({
      where: `lane IN {names:Array(String)} OR ${HINT_LANE_SQL} IN {names:Array(String)}`,
      names,
    })),
    ...chunksOf([...triage.acts.keys()]).map((names) => ({ where: 'id IN {names:Array(String)}', names })),
  ];
  if (chunks.length > REQUESTS_MAX) {
    await readJudged(store, '1', {}, (row) => {
      if (isUnresolved(judgedOf(row), triage)) open[severityNow(row, triage)]++;
    });
    return open;
  }
  const rows = await store.rows<{ severity: FindingItem['severity']; findings: number | string }>(
    `SELECT severity, count() AS findings FROM ${store.database}.findings FINAL GROUP BY severity`,
  );
  for (const { severity, findings } of rows) open[severity] = Number(findings);
  // A finding may be named in several requests.
  const looked = new Set<string>();
  await Promise.all(
    chunks.map(({ where, names }) =>
      readJudged(store, where, { names }, (row) => {
        if (looked.has(row.id)) return;
        looked.add(row.id);
        open[row.severity]--;
        if (isUnresolved(judgedOf(row), triage)) open[severityNow(row, triage)]++;
      }),
    ),
  );
  return open;
}

/** How many findings of a filter have each status, whatever status it asks for. */
export async function readCounts(
  store: ClickHouse,
  db: RegistryDatabase,
  { status: _status, ...query }: FindingsQuery,
  { nowMs, me }: { nowMs: number; me: string },
): Promise<ByStatus> {
  const counts = Object.fromEntries(FINDING_STATUSES.map((status) => [status, 0])) as ByStatus;
  const isWanted = wantedBy(query);
  const [triage, ids] = await Promise.all([readTriage(db, nowMs), narrowedIds(db, query, me)]);
  const { where, parameters } = storedFilter(query, ids);
  await readJudged(store, where, parameters, (row) => {
    if (isWanted(row, triage)) counts[findingStatus(judgedOf(row), triage).status]++;
  });
  return counts;
}
