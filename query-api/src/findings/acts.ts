import { appendAudit } from '../audit/append.ts';
import { sql } from 'kysely';
import type { FindingStatus, TriageAnswer, TriageBefore } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { LOCKS } from '../registry/database.ts';
import type { RegistryDatabase } from '../registry/database.ts';
import type { RegistryTransaction } from '../registry/database.ts';
import type { FindingTriageTable } from '../registry/schema.ts';
import { decideAct } from './act-rules.ts';
import type { ActOutcome, TriageAct } from './act-rules.ts';
import { readFindings } from './findings.ts';
import { judgedOf, readRows } from './rows.ts';
import type { FindingRow } from './rows.ts';
import { findingStatus, readTriage, severityNow } from './triage.ts';

export interface ActParts {
  store: ClickHouse;
  db: RegistryDatabase;
  nowMs: number;
  actor: string;
}

/**
 * Does one act on findings, each by itself: what is refused leaves the others done. Acts wait for each other, so that whoever comes second
 * meets what the first one did.
 * @param seen versions that whoever acts has seen, by id
 */
export async function actOnFindings(
  { store, db, nowMs, actor }: ActParts,
  ids: readonly string[],
  act: TriageAct,
  seen: Readonly<Record<string, number>> = {},
): Promise<TriageAnswer> {
  const rows = await readRows(store, ids);
  const outcomes = await db.transaction().execute(async (transaction) => {
    await lockFindings(transaction);
    const triage = await readTriage(transaction, nowMs, rows);
    const made = new Map<string, ActOutcome & { before: TriageBefore | null }>();
    for (const row of rows) {
      const { status } = findingStatus(judgedOf(row), triage);
      const kept = triage.acts.get(row.id) ?? null;
      const by = { actor, at: new Date(nowMs), seen: Object.hasOwn(seen, row.id) ? seen[row.id] : undefined };
      const outcome = decideAct(row.id, { status, severity: severityNow(row, triage), kept }, act, by);
      made.set(row.id, { ...outcome, before: outcome.outcome === 'done' ? beforeOf(status, kept) : null });
      if (outcome.outcome !== 'done') continue;
      if (status === 'reopened') await writeOccurredAgain(transaction, row, outcome.row.version);
      await writeAct(transaction, row, outcome.row, act, by);
    }
    return made;
  });
  const items = new Map((await readFindings(store, db, ids, nowMs)).map((item) => [item.id, item]));
  const answers = ids.map((id) => {
    const outcome = outcomes.get(id);
    const finding = items.get(id) ?? null;
    if (outcome === undefined) {
      return { id, outcome: 'missing' as const, detail: 'No finding has this id.', before: null, finding };
    }
    const detail = outcome.outcome === 'refused' ? outcome.detail : '';
    return { id, outcome: outcome.outcome, detail, before: outcome.before, finding };
  });
  return { items: answers, done: answers.filter(({ outcome }) => outcome === 'done').length };
}

/** Where a finding stood, as far as an act can put it back there. What the registry resolved nobody resolves by hand. Pure. */
function beforeOf(status: FindingStatus, kept: FindingTriageTable | null): TriageBefore {
  const { until = null, reason = '', resolution = '', assignee = '' } = kept ?? {};
  return {
    status,
    assignee,
    snooze: status === 'snoozed' && until !== null ? { until: until.toISOString(), reason } : null,
    resolution: status === 'resolved' && resolution !== '' ? { as: resolution, reason } : null,
  };
}

/** Ids of acts grow in commit order for it: a reader that saw the newest has seen all before. */
export async function lockFindings(transaction: RegistryTransaction): Promise<void> {
  await sql`SELECT pg_advisory_xact_lock(${LOCKS.findings})`.execute(transaction);
}

async function writeAct(
  transaction: RegistryTransaction,
  finding: FindingRow,
  row: FindingTriageTable,
  { act, reason, as, until, assignee }: TriageAct,
  { actor, at }: { actor: string; at: Date },
): Promise<void> {
  await transaction
    .insertInto('finding_triage')
    .values(row)
    .onConflict((conflict) => conflict.column('finding_id').doUpdateSet(row))
    .execute();
  const resolution = act === 'resolve' ? as : '';
  await transaction
    .insertInto('finding_events')
    .values({ finding_id: finding.id, at, actor, act, resolution, until, assignee, body: reason, version: row.version })
    .execute();
  const said = [
    resolution.replaceAll('_', ' '),
    until === null ? '' : `until ${until.toISOString()}`,
    assignee === null ? '' : assignee === '' ? 'nobody' : assignee,
    reason,
  ].filter((part) => part !== '');
  await auditAct(transaction, { actor, at, act, finding, detail: said.join(': ') });
}

/** Notes an act in the trail of everything that people did. */
export async function auditAct(
  transaction: RegistryTransaction,
  event: { actor: string; at: Date; act: string; finding: Pick<FindingRow, 'id' | 'credential_id'>; detail: string },
): Promise<void> {
  const { actor, at, act, finding, detail } = event;
  const subject = { kind: 'finding', id: finding.id } as const;
  await appendAudit(transaction, {
    ...{ at, actor, action: `finding.${act}`, subject, credentialId: finding.credential_id, detail },
  });
}

/** What re-opened it is told by the ledger only as long as nobody acts: from then on by its history. */
async function writeOccurredAgain(transaction: RegistryTransaction, row: FindingRow, version: number): Promise<void> {
  await transaction
    .insertInto('finding_events')
    .values({
      ...{ finding_id: row.id, at: new Date(Number(row.last_received_at)), actor: '', act: 'occurred_again' },
      ...{ resolution: '', until: null, assignee: null, body: '', version },
    })
    .execute();
}
