import { AUDIT_SUBJECTS } from '../../contract/index.ts';
import type { RegistryDatabase } from '../registry/database.ts';
import { change } from '../registry/registry.ts';
import { appendAudit } from './append.ts';

const PAGE = 200;

/** Takes what was noted before there was a chain into it, oldest first, and leaves none of it behind. */
export async function takeOverEvents(db: RegistryDatabase): Promise<void> {
  while (await takePage(db));
}

function takePage(db: RegistryDatabase): Promise<boolean> {
  return change(db, async (transaction) => {
    const rows = await transaction.selectFrom('registry_events').selectAll().orderBy('id').limit(PAGE).execute();
    for (const row of rows) {
      await appendAudit(transaction, {
        ...{ at: row.at, actor: row.actor, action: row.action, detail: row.detail, changes: row.changes },
        ...{ subject: subjectOf(row), credentialId: row.credential_id },
      });
    }
    const last = rows.at(-1);
    if (last !== undefined) await transaction.deleteFrom('registry_events').where('id', '<=', last.id).execute();
    return rows.length === PAGE;
  });
}

/** What an event was about; of those that were noted without it, their actions and details tell. */
function subjectOf({
  action,
  actor,
  detail,
  credential_id: credentialId,
}: {
  action: string;
  actor: string;
  detail: string;
  credential_id: string;
}) {
  if (action.startsWith('account.')) return { kind: 'person', id: actor } as const;
  if (action.startsWith('person.')) return { kind: 'person', id: /^[^\s:]*/.exec(detail)![0] } as const;
  if (action.startsWith('finding.')) return { kind: 'finding', id: /^[^:]*/.exec(detail)![0] } as const;
  if (action === 'job.run') return { kind: 'job', id: detail } as const;
  if (credentialId !== '') return { kind: 'credential', id: credentialId } as const;
  const kind = AUDIT_SUBJECTS.find((one) => action.startsWith(`${one} `)) ?? 'setting';
  return { kind, id: detail };
}
