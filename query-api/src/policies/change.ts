import type { FieldChange } from '../../contract/index.ts';
import { changesBetween } from '../registry/edit.ts';
import { insertableOf } from '../registry/record.ts';
import type { CredentialRow } from '../registry/record.ts';
import { liveOf, secretsOf, writeEvent, writeOutbox } from '../registry/registry.ts';
import type { RegistryTransaction } from '../registry/database.ts';

/** Changes fields of a key and puts its records on their way, inside a transaction that holds the lock of registry changes. */
export async function changeKey(
  transaction: RegistryTransaction,
  before: CredentialRow,
  fields: Partial<Pick<CredentialRow, 'expires_at' | 'allowed_cidrs' | 'scopes'>>,
  by: { actor: string; at: Date; detail: string },
): Promise<FieldChange[]> {
  const row = { ...before, ...fields, version: before.version + 1 };
  const changes = changesBetween(before, row);
  if (changes.length === 0) return changes;
  const { id, created_at: _createdAt, ...written } = insertableOf(row);
  await transaction.updateTable('credentials').set(written).where('id', '=', id).execute();
  await writeEvent(transaction, { ...by, action: 'edited', credentialId: id, changes });
  await writeOutbox(transaction, row, liveOf(await secretsOf(transaction, [id]), by.at.getTime()), by.at);
  return changes;
}
