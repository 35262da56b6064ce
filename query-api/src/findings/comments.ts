import { ProblemError } from '../http/problem.ts';
import { auditAct, lockFindings } from './acts.ts';
import type { ActParts } from './acts.ts';
import { readRows } from './rows.ts';

/** The same text by the same person within this time is the same comment, sent twice. */
const SAME_WITHIN_MS = 60_000;

/**
 * Adds a comment.
 * @throws {ProblemError} `not_found`
 */
export async function commentOn({ store, db, nowMs, actor }: ActParts, id: string, text: string): Promise<void> {
  const [finding] = await readRows(store, [id]);
  if (finding === undefined) throw new ProblemError('not_found', 'No finding has this id.');
  const at = new Date(nowMs);
  await db.transaction().execute(async (transaction) => {
    await lockFindings(transaction);
    const same = await transaction
      .selectFrom('finding_events')
      .select('id')
      .where('finding_id', '=', id)
      .where('act', '=', 'comment')
      .where('actor', '=', actor)
      .where('body', '=', text)
      .where('at', '>', new Date(nowMs - SAME_WITHIN_MS))
      .executeTakeFirst();
    if (same !== undefined) return;
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
  });
}
