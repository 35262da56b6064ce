import type { TriageAnswer } from '../../contract/index.ts';
import type { RegistryTransaction } from '../registry/database.ts';
import { auditAct, lockFindings } from './acts.ts';
import type { ActParts } from './acts.ts';
import { readFindings } from './findings.ts';
import { readRows } from './rows.ts';
import type { FindingRow } from './rows.ts';

/** The same text by the same person within this time is the same comment, sent twice. */
const SAME_WITHIN_MS = 60_000;

/** Adds a comment to each of some findings. @returns what came of it for each, in their order; `unchanged` where it stood there already */
export async function commentOn(
  { store, db, nowMs, actor }: ActParts,
  ids: readonly string[],
  text: string,
): Promise<TriageAnswer> {
  const rows = await readRows(store, ids);
  const said = { actor, at: new Date(nowMs), text };
  const added = await db.transaction().execute(async (transaction) => {
    await lockFindings(transaction);
    const made = new Set<string>();
    for (const row of rows) if (await addComment(transaction, row, said)) made.add(row.id);
    return made;
  });
  const findings = new Map((await readFindings(store, db, ids, nowMs)).map((finding) => [finding.id, finding]));
  const items = ids.map((id): TriageAnswer['items'][number] => {
    const finding = findings.get(id) ?? null;
    if (finding === null) return { id, outcome: 'missing', detail: 'No finding has this id.', before: null, finding };
    return { id, outcome: added.has(id) ? 'done' : 'unchanged', detail: '', before: null, finding };
  });
  return { items, done: added.size };
}

async function addComment(
  transaction: RegistryTransaction,
  finding: FindingRow,
  { actor, at, text }: { actor: string; at: Date; text: string },
): Promise<boolean> {
  const { id } = finding;
  const same = await transaction
    .selectFrom('finding_events')
    .select('id')
    .where('finding_id', '=', id)
    .where('act', '=', 'comment')
    .where('actor', '=', actor)
    .where('body', '=', text)
    .where('at', '>', new Date(at.getTime() - SAME_WITHIN_MS))
    .executeTakeFirst();
  if (same !== undefined) return false;
  const { version } = await transaction
    .insertInto('finding_triage')
    .values({
      ...{ finding_id: id, state: 'open', state_at: null, state_by: '', reason: '', resolution: '', severity: '' },
      ...{ until: null, assignee: '', comments: 1, version: 0 },
    })
    .onConflict((conflict) =>
      conflict.column('finding_id').doUpdateSet(({ eb }) => ({ comments: eb('finding_triage.comments', '+', 1) })),
    )
    .returning('version')
    .executeTakeFirstOrThrow();
  await transaction
    .insertInto('finding_events')
    .values({
      ...{ finding_id: id, at, actor, act: 'comment', resolution: '', until: null, assignee: null },
      ...{ body: text, version },
    })
    .execute();
  await auditAct(transaction, { actor, at, act: 'comment', finding, detail: '' });
  return true;
}
