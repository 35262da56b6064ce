import type { Severity } from '../../contract/index.ts';
import { SEVERITIES } from '../../contract/index.ts';
import { BRIEFLY } from '../clickhouse.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { JUDGED_SQL, judgedOf } from '../findings/rows.ts';
import type { JudgedRow } from '../findings/rows.ts';
import { isUnresolved, readTriage, severityNow } from '../findings/triage.ts';
import type { RegistryDatabase } from './database.ts';
import type { RegistrySnapshot } from './view.ts';

/** The most severe unresolved finding of each credential that has one, by its id. */
export async function readWorstOpen(
  store: ClickHouse,
  db: RegistryDatabase,
  snapshot: RegistrySnapshot,
  nowMs: number,
): Promise<ReadonlyMap<string, Severity>> {
  const triage = await readTriage(db, nowMs);
  const rows = await store.rows<JudgedRow & { credential_id: string }>(
    `SELECT ${JUDGED_SQL}, credential_id FROM ${store.database}.findings AS findings FINAL`,
    {},
    BRIEFLY,
  );
  const worst = new Map<string, Severity>();
  for (const row of rows) {
    if (!isUnresolved(judgedOf(row), triage)) continue;
    const id = row.credential_id || snapshot.byFingerprint.get(row.fingerprint)?.id;
    if (id === undefined) continue;
    const severity = severityNow(row, triage);
    const held = worst.get(id);
    if (held === undefined || SEVERITIES.indexOf(severity) > SEVERITIES.indexOf(held)) worst.set(id, severity);
  }
  return worst;
}
