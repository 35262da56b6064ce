import type { FieldChange } from '../../contract/index.ts';
import { appendAuditAll } from '../audit/append.ts';
import type { RegistryTransaction } from './database.ts';
import { changesBetween } from './edit.ts';
import { insertableOf } from './record.ts';
import type { CredentialRow } from './record.ts';
import { liveOf, secretsOf, writeOutboxAll } from './registry.ts';

/** What is to become of a key. */
export interface KeyChange {
  row: CredentialRow;
  fields: Partial<Pick<CredentialRow, 'expires_at' | 'allowed_cidrs' | 'scopes' | 'project' | 'team' | 'owner'>>;
  /** A sentence for its log; '' where the change says enough. */
  detail: string;
}

/**
 * Changes fields of keys and puts their records on their way, inside a transaction that holds the lock of registry changes. Some hundred keys
 * fit into one statement.
 * @returns what of each changed, in their order; keys that are so already are left alone. And the last outbox row, 0 when none was written
 */
export async function changeKeys(
  transaction: RegistryTransaction,
  wanted: readonly KeyChange[],
  by: { actor: string; at: Date },
): Promise<{ changes: FieldChange[][]; outboxId: number }> {
  const planned = wanted.map(({ row: before, fields, detail }) => {
    const row = { ...before, ...fields, version: before.version + 1 };
    return { row, detail, changes: changesBetween(before, row) };
  });
  const changed = planned.filter(({ changes }) => changes.length > 0);
  let outboxId = 0;
  if (changed.length > 0) {
    for (const { row } of changed) {
      const { id, created_at: _createdAt, ...written } = insertableOf(row);
      await transaction.updateTable('credentials').set(written).where('id', '=', id).execute();
    }
    await appendAuditAll(
      transaction,
      changed.map(({ row: { id }, detail, changes }) => ({
        ...{ ...by, action: 'edited', subject: { kind: 'credential', id }, detail, changes },
      })),
    );
    const secrets = Map.groupBy(
      await secretsOf(
        transaction,
        changed.map(({ row }) => row.id),
      ),
      ({ credential_id: id }) => id,
    );
    const records = changed.map(({ row }) => ({ row, secrets: liveOf(secrets.get(row.id) ?? [], by.at.getTime()) }));
    outboxId = await writeOutboxAll(transaction, records, by.at);
  }
  return { changes: planned.map(({ changes }) => changes), outboxId };
}
