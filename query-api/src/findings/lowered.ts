import type { ClickHouse } from '../clickhouse.ts';
import type { RegistryDatabase } from '../registry/database.ts';
import { chunksOf, HINT_LANE_SQL, readJudged, REQUESTS_MAX } from './judged.ts';
import type { JudgedRow } from './rows.ts';
import { readTriage, severityNow } from './triage.ts';

/**
 * Ids of findings that count as less than the store says, because their key was registered without owner or organisation. Few keys
 * are, and most installations have none: then this is one read of the registry.
 */
export async function readLowered(store: ClickHouse, db: RegistryDatabase, nowMs: number): Promise<string[]> {
  const decided = await db.selectFrom('triage').select('lane').distinct().where('status', '=', 'lowered').execute();
  const chunks = chunksOf(decided.map(({ lane }) => lane)).slice(0, REQUESTS_MAX);
  const lowered = new Set<string>();
  for (const names of chunks) {
    const rows: JudgedRow[] = [];
    const where = `severity IN ('high', 'critical') AND (lane IN {names:Array(String)} OR ${HINT_LANE_SQL} IN {names:Array(String)})`;
    await readJudged(store, where, { names }, (row) => void rows.push(row));
    const triage = await readTriage(db, nowMs, rows);
    for (const row of rows) if (severityNow(row, triage) !== row.severity) lowered.add(row.id);
  }
  return [...lowered];
}
