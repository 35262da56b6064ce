import { ProblemError } from '../http/problem.ts';
import type { RegistryDatabase } from './database.ts';
import type { CredentialDraft } from './draft.ts';
import { insertableOf } from './record.ts';
import type { CredentialRow } from './record.ts';
import { change, writeDecisions, writeEvent, writeOutbox } from './registry.ts';
import type { LaneDecision, RegistryChange } from './registry.ts';
import type { RegistryTransaction } from './database.ts';
import { firstSecretOf, rowOfSecret } from './secrets.ts';

/** What a new credential, or a new secret of one, means for the lanes it touches. */
export interface LaneAnswer {
  decided: LaneDecision[];
  /** Lanes that it makes ambiguous: what was decided on them no longer holds. */
  unsettled: string[];
}

/**
 * Writes a new credential, its outbox row and what it resolves, all or nothing.
 * @throws {ProblemError} `conflict` when the key is registered already, whatever became of it: a revoked key stays revoked
 */
export function addCredential(
  db: RegistryDatabase,
  draft: CredentialDraft,
  answerOf: (existing: CredentialRow[]) => LaneAnswer,
): Promise<RegistryChange> {
  return change(db, (transaction) => addInChange(transaction, draft, answerOf));
}

/** {@link addCredential} as part of a larger change. */
export async function addInChange(
  transaction: RegistryTransaction,
  { row }: CredentialDraft,
  answerOf: (existing: CredentialRow[]) => LaneAnswer,
): Promise<RegistryChange> {
  await refuseDuplicate(transaction, row);
  await transaction.insertInto('credentials').values(insertableOf(row)).execute();
  await transaction.insertInto('credential_secrets').values(firstSecretOf(row)).execute();
  await settle(transaction, row, answerOf, { actor: row.created_by, at: row.created_at });
  await writeEvent(transaction, {
    actor: row.created_by,
    action: row.kind === 'managed' ? 'issued' : 'registered',
    credentialId: row.id,
    at: row.created_at,
  });
  return { row, outboxId: await writeOutbox(transaction, row, [firstSecretOf(row)], row.created_at) };
}

/** Writes what a credential, as it is now, means for findings. */
export async function settle(
  transaction: RegistryTransaction,
  row: CredentialRow,
  answerOf: (existing: CredentialRow[]) => LaneAnswer,
  by: { actor: string; at: Date },
): Promise<void> {
  const sameHint = row.hint === '' ? [] : await credentialsWithHint(transaction, row.hint);
  const { decided, unsettled } = answerOf(sameHint);
  await writeDecisions(transaction, decided, { credentialId: row.id, ...by });
  if (unsettled.length > 0) await transaction.deleteFrom('triage').where('lane', 'in', unsettled).execute();
}

/** Throws `conflict` when a key's record key belongs to a credential, be it by a secret of long ago. */
export async function refuseDuplicate(
  transaction: RegistryTransaction,
  row: Pick<CredentialRow, 'record_key' | 'fingerprint'>,
): Promise<void> {
  const existing = await transaction
    .selectFrom('credential_secrets')
    .innerJoin('credentials', 'credentials.id', 'credential_secrets.credential_id')
    .select(['credentials.id', 'credentials.name', 'credentials.revoked_at', 'credential_secrets.replaced_at'])
    .where('credential_secrets.record_key', '=', row.record_key)
    .executeTakeFirst();
  if (existing === undefined) return;
  const path = row.fingerprint === '' ? 'hint' : 'fingerprint';
  const what = row.fingerprint === '' ? 'This hint with this org' : 'This fingerprint';
  const end =
    existing.revoked_at !== null
      ? ', and revoked; a revoked key can’t be restored'
      : existing.replaced_at !== null
        ? ', as a secret that was rotated out; it can’t come back'
        : '';
  throw new ProblemError('conflict', `${what} is registered as “${existing.name}” (${existing.id})${end}.`, [
    { path, message: `is registered as ${existing.id}` },
  ]);
}

/** Every credential by a secret with this hint, as that secret shows it. */
async function credentialsWithHint(transaction: RegistryTransaction, hint: string): Promise<CredentialRow[]> {
  const secrets = await transaction.selectFrom('credential_secrets').selectAll().where('hint', '=', hint).execute();
  if (secrets.length === 0) return [];
  const ids = secrets.map(({ credential_id: id }) => id);
  const rows = await transaction.selectFrom('credentials').selectAll().where('id', 'in', ids).execute();
  return secrets.map((secret) =>
    rowOfSecret(
      rows.find(({ id }) => id === secret.credential_id)!,
      secret,
    ),
  );
}
