import { sql } from 'kysely';
import type { DirectoryKind } from '../../contract/index.ts';
import { ProblemError } from '../http/problem.ts';
import type { RegistryTransaction } from './database.ts';
import type { CredentialRow } from './record.ts';
import { liveOf, secretsOf, writeEvent, writeOutbox } from './registry.ts';

/** Where a key names one of each kind. */
const FIELD_OF = { project: 'project', team: 'team', service_account: 'owner' } as const satisfies Record<
  DirectoryKind,
  keyof CredentialRow
>;

/**
 * Gives whatever names a project, team or service account its new name: keys with their records on the topic, policies of that
 * project, channels that tell of it. Keys that are over follow as well, so that their past stays findable under the present name.
 * @returns id of the last outbox row; 0 when no key names it
 * @throws {ProblemError} `conflict` when there is one of the new name, or policies are set for it
 */
export async function renameEverywhere(
  transaction: RegistryTransaction,
  kind: DirectoryKind,
  name: { from: string; to: string },
  by: { actor: string; at: Date },
): Promise<number> {
  const { from, to } = name;
  const there = await transaction
    .selectFrom('directory')
    .select('name')
    .where('kind', '=', kind)
    .where('name', '=', to)
    .executeTakeFirst();
  if (there !== undefined) throw new ProblemError('conflict', 'There is one of the new name already.');
  if (kind === 'project') await renamePolicies(transaction, name);
  if (kind !== 'team') await renameInChannels(transaction, kind === 'project' ? 'projects' : 'owners', name);
  let keys = transaction.selectFrom('credentials').selectAll().where(FIELD_OF[kind], '=', from);
  if (kind === 'service_account') keys = keys.where('owner_kind', '=', 'service_account');
  let outboxId = 0;
  for (const before of await keys.execute()) {
    const row: CredentialRow = { ...before, [FIELD_OF[kind]]: to, version: before.version + 1 };
    await transaction
      .updateTable('credentials')
      .set({ [FIELD_OF[kind]]: to, version: row.version })
      .where('id', '=', row.id)
      .execute();
    const changes = [{ field: FIELD_OF[kind], before: from, after: to }];
    await writeEvent(transaction, { ...by, action: 'edited', credentialId: row.id, changes });
    const live = liveOf(await secretsOf(transaction, [row.id]), by.at.getTime());
    outboxId = await writeOutbox(transaction, row, live, by.at);
  }
  return outboxId;
}

async function renamePolicies(transaction: RegistryTransaction, name: { from: string; to: string }): Promise<void> {
  const taken = await transaction
    .selectFrom('policies')
    .select('policy')
    .where('project', '=', name.to)
    .executeTakeFirst();
  if (taken !== undefined) throw new ProblemError('conflict', 'Policies are set for a project of the new name.');
  await transaction.updateTable('policies').set({ project: name.to }).where('project', '=', name.from).execute();
}

async function renameInChannels(
  transaction: RegistryTransaction,
  column: 'projects' | 'owners',
  name: { from: string; to: string },
): Promise<void> {
  const list = sql.ref(column);
  await sql`
    UPDATE channels SET ${list} = (
      SELECT jsonb_agg(CASE WHEN one = to_jsonb(${name.from}::text) THEN to_jsonb(${name.to}::text) ELSE one END)
      FROM jsonb_array_elements(${list}) AS one
    ), version = version + 1
    WHERE ${list} @> to_jsonb(${name.from}::text)`.execute(transaction);
}
