import { sql } from 'kysely';
import type { FieldChange } from '../../contract/index.ts';
import { appendAuditAll } from '../audit/append.ts';
import type { RegistryTransaction } from './database.ts';
import { changesBetween } from './edit.ts';
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
    const row = { ...before, ...fields, changed_by: by.actor, version: before.version + 1 };
    return { row, detail, changes: changesBetween(before, row) };
  });
  const changed = planned.filter(({ changes }) => changes.length > 0);
  let outboxId = 0;
  if (changed.length > 0) {
    await writeKeys(
      transaction,
      changed.map(({ row }) => row),
    );
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

/** Writes what {@link KeyChange} may change, of all keys with one statement. */
async function writeKeys(transaction: RegistryTransaction, rows: readonly CredentialRow[]): Promise<void> {
  const written = rows.map(({ id, version, changed_by, expires_at, allowed_cidrs, scopes, project, team, owner }) => ({
    ...{ id, version, changed_by, expires_at, allowed_cidrs, scopes, project, team, owner },
  }));
  await sql`
    UPDATE credentials SET version = written.version, changed_by = written.changed_by, expires_at = written.expires_at,
      allowed_cidrs = written.allowed_cidrs, scopes = written.scopes,
      project = written.project, team = written.team, owner = written.owner
    FROM jsonb_to_recordset(${JSON.stringify(written)}::jsonb) AS written (
      id text, version integer, changed_by text, expires_at timestamptz, allowed_cidrs jsonb, scopes jsonb, project text, team text, owner text
    )
    WHERE credentials.id = written.id`.execute(transaction);
}
