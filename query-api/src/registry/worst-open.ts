import type { Severity } from '../../contract/index.ts';
import { SEVERITIES } from '../../contract/index.ts';
import { BRIEFLY } from '../clickhouse.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { findingStatus, readTriage, severityNow } from '../findings/triage.ts';
import type { RegistryDatabase } from './database.ts';
import type { RegistrySnapshot } from './view.ts';

/** The most severe unresolved finding of each credential that has one, by its id. */
export async function readWorstOpen(
  store: ClickHouse,
  db: RegistryDatabase,
  snapshot: RegistrySnapshot,
): Promise<ReadonlyMap<string, Severity>> {
  const triage = await readTriage(db);
  const rows = await store.rows<{
    rule: string;
    lane: string;
    fingerprint: string;
    hint: string;
    org: string;
    credential_id: string;
    severity: Severity;
    last: number | string;
  }>(
    `SELECT rule, lane, fingerprint, hint, org, credential_id, severity, toUnixTimestamp64Milli(last_received_at) AS last
     FROM ${store.database}.findings FINAL`,
    {},
    BRIEFLY,
  );
  const worst = new Map<string, Severity>();
  for (const row of rows) {
    if (findingStatus({ ...row, lastReceivedMs: Number(row.last) }, triage).status === 'resolved') continue;
    const id = row.credential_id || snapshot.byFingerprint.get(row.fingerprint)?.id;
    if (id === undefined) continue;
    const severity = severityNow(row, triage);
    const held = worst.get(id);
    if (held === undefined || SEVERITIES.indexOf(severity) > SEVERITIES.indexOf(held)) worst.set(id, severity);
  }
  return worst;
}
