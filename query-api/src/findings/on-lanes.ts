import { TRIAGE_FINDINGS_MAX } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { fieldProblem } from '../http/problem.ts';
import type { RegistryDatabase } from '../registry/database.ts';
import type { TriageAct } from './act-rules.ts';
import { JUDGED_SQL, judgedOf } from './rows.ts';
import type { JudgedRow } from './rows.ts';
import { findingStatus, readTriage } from './triage.ts';

/**
 * The findings on lanes that an act is about: what is not resolved, and for reopen what is resolved, acknowledged or put off.
 * @throws {ProblemError} `validation` for more than one act may touch
 */
export async function idsOnLanes(
  store: ClickHouse,
  db: RegistryDatabase,
  lanes: readonly string[],
  act: TriageAct['act'],
  nowMs: number,
): Promise<string[]> {
  const rows = await store.rows<JudgedRow>(
    `SELECT ${JUDGED_SQL} FROM ${store.database}.findings AS findings FINAL WHERE lane IN {lanes:Array(String)}
     ORDER BY id LIMIT {rows:UInt32}`,
    { lanes, rows: 10_000 },
  );
  const triage = await readTriage(db, nowMs, rows);
  const ids = rows
    .filter((row) => {
      const { status } = findingStatus(judgedOf(row), triage);
      return act === 'reopen' ? status !== 'open' && status !== 'reopened' : status !== 'resolved';
    })
    .map(({ id }) => id);
  if (ids.length > TRIAGE_FINDINGS_MAX) {
    throw fieldProblem('lanes', `have ${ids.length} findings; at most ${TRIAGE_FINDINGS_MAX} at once: name fewer`);
  }
  return ids;
}
