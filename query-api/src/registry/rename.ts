import { sql } from 'kysely';
import type { DirectoryKind } from '../../contract/index.ts';
import { ProblemError } from '../http/problem.ts';
import { changeKeys } from './change-keys.ts';
import type { RegistryTransaction } from './database.ts';
import type { CredentialRow } from './record.ts';

/** Where a key names one of each kind. */
const FIELD_OF = { project: 'project', team: 'team', service_account: 'owner' } as const satisfies Record<
  DirectoryKind,
  keyof CredentialRow
>;

/** Keys of one statement, which has a limit of values. */
const KEYS_AT_ONCE = 500;

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
  if (there !== undefined) throw taken('There is one of the new name already.');
  if (kind === 'project') await renamePolicies(transaction, name);
  if (kind !== 'team') await renameInChannels(transaction, kind === 'project' ? 'projects' : 'owners', name);
  let keys = transaction.selectFrom('credentials').selectAll().where(FIELD_OF[kind], '=', from);
  if (kind === 'service_account') keys = keys.where('owner_kind', '=', 'service_account');
  const rows = await keys.orderBy('id').execute();
  let outboxId = 0;
  for (let at = 0; at < rows.length; at += KEYS_AT_ONCE) {
    const part = rows
      .slice(at, at + KEYS_AT_ONCE)
      .map((row) => ({ row, fields: { [FIELD_OF[kind]]: to }, detail: '' }));
    outboxId = Math.max(outboxId, (await changeKeys(transaction, part, by)).outboxId);
  }
  return outboxId;
}

const taken = (why: string): ProblemError =>
  new ProblemError('conflict', why, [{ path: 'name', message: 'is taken: choose another' }]);

async function renamePolicies(transaction: RegistryTransaction, name: { from: string; to: string }): Promise<void> {
  const there = await transaction
    .selectFrom('policies')
    .select('policy')
    .where('project', '=', name.to)
    .executeTakeFirst();
  if (there !== undefined) throw taken('Policies are set for a project of the new name.');
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
