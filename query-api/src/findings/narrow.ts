import type { RegistryDatabase } from '../registry/database.ts';

/** Findings that one filter may name by id: what is more is looked for among all of them. */
const IDS_MAX = 5_000;

/**
 * The ids that a filter by assignee or status leaves, where the database of acts alone can tell: everything else has them all looked at.
 * @param me e-mail of whoever asks
 * @returns null for no narrowing
 */
export async function narrowedIds(
  db: RegistryDatabase,
  query: { assignee?: string | undefined; status?: string | undefined },
  me: string,
): Promise<string[] | null> {
  const isOfSomebody = query.assignee !== undefined && query.assignee !== 'none';
  const isOfActs = query.status === 'acknowledged' || query.status === 'snoozed';
  if (!isOfSomebody && !isOfActs) return null;
  let select = db
    .selectFrom('finding_triage')
    .select('finding_id')
    .limit(IDS_MAX + 1);
  if (isOfSomebody) select = select.where('assignee', '=', query.assignee === 'me' ? me : query.assignee!);
  if (isOfActs) select = select.where('state', '=', query.status as 'acknowledged' | 'snoozed');
  const rows = await select.execute();
  if (rows.length > IDS_MAX && !isOfSomebody) return null;
  return rows.slice(0, IDS_MAX).map(({ finding_id: id }) => id);
}
