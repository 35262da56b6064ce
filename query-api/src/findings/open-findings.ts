import type { FindingItem } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import type { RegistryDatabase } from '../registry/database.ts';
import { findingStatus, readTriage, severityNow } from './triage.ts';
import type { Triage } from './triage.ts';

type BySeverity = Record<FindingItem['severity'], number>;

interface Judged {
  rule: string;
  lane: string;
  fingerprint: string;
  hint: string;
  org: string;
  severity: FindingItem['severity'];
  last_received_at: number | string;
}

const JUDGED_SQL = `rule, lane, fingerprint, hint, org, severity, toUnixTimestamp64Milli(findings.last_received_at) AS last_received_at`;
/** The lane of a fingerprint's hint and org, as `laneOf` has it: a decision about it answers the fingerprint's lane, too. */
const HINT_LANE_SQL = `if(fingerprint != '' AND hint != '' AND org != '',
  concat('hint_', substring(lower(hex(SHA256(concat(hint, '\\n', org)))), 1, 32)), '')`;

/** Names that fit into one request. */
const NAMES_PER_REQUEST = 100;
/** With more decisions than so many requests can name, all findings are looked at. */
const REQUESTS_MAX = 5;

function isOpen(row: Judged, triage: Triage): boolean {
  return findingStatus({ ...row, lastReceivedMs: Number(row.last_received_at) }, triage).status !== 'resolved';
}

/** How many findings of each of these lanes are not resolved; lanes without one are left out. */
export async function readOpenByLane(
  store: ClickHouse,
  db: RegistryDatabase,
  lanes: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const open = new Map<string, number>();
  if (lanes.length === 0) return open;
  // Decisions first: one made between the two reads leaves its finding counted once more, never missing.
  const triage = await readTriage(db);
  await Promise.all(
    chunksOf(lanes).map((names) =>
      store.stream<Judged>(
        `SELECT ${JUDGED_SQL} FROM ${store.database}.findings AS findings FINAL WHERE lane IN {lanes:Array(String)}`,
        { lanes: names },
        (row) => {
          if (isOpen(row, triage)) open.set(row.lane, (open.get(row.lane) ?? 0) + 1);
        },
      ),
    ),
  );
  return open;
}

/** How many findings are not resolved, by severity: all of them, less those that a decision has resolved. */
export async function readOpenBySeverity(store: ClickHouse, db: RegistryDatabase): Promise<BySeverity> {
  const triage = await readTriage(db);
  const open: BySeverity = { low: 0, medium: 0, high: 0, critical: 0 };
  const decided = [...new Set([...triage.keys()].map((key) => key.slice(key.indexOf('/') + 1)))];
  const chunks = chunksOf(decided);
  if (chunks.length > REQUESTS_MAX) {
    await readJudged(store, '1', {}, (row) => {
      if (isOpen(row, triage)) open[severityNow(row, triage)]++;
    });
    return open;
  }
  const rows = await store.rows<{ severity: FindingItem['severity']; findings: number | string }>(
    `SELECT severity, count() AS findings FROM ${store.database}.findings FINAL GROUP BY severity`,
  );
  for (const { severity, findings } of rows) open[severity] = Number(findings);
  // A lane and its hint's lane may be named in two requests.
  const looked = new Set<string>();
  await Promise.all(
    chunks.map((lanes) =>
      readJudged(
        store,
        `lane IN {lanes:Array(String)} OR ${HINT_LANE_SQL} IN {lanes:Array(String)}`,
        { lanes },
        (row) => {
          if (looked.has(row.id)) return;
          looked.add(row.id);
          open[row.severity]--;
          if (isOpen(row, triage)) open[severityNow(row, triage)]++;
        },
      ),
    ),
  );
  return open;
}

function readJudged(
  store: ClickHouse,
  where: string,
  parameters: Record<string, unknown>,
  onRow: (row: Judged & { id: string }) => void,
): Promise<void> {
  return store.stream<Judged & { id: string }>(
    `SELECT id, ${JUDGED_SQL} FROM ${store.database}.findings AS findings FINAL WHERE ${where}`,
    parameters,
    onRow,
  );
}

function chunksOf(names: readonly string[]): string[][] {
  return Array.from({ length: Math.ceil(names.length / NAMES_PER_REQUEST) }, (_, index) =>
    names.slice(index * NAMES_PER_REQUEST, (index + 1) * NAMES_PER_REQUEST),
  );
}
