import { laneOf } from '@lanewatch/ingest/contract';
import { ProblemError } from '../http/problem.ts';
import { ANSWERED_BY_REVOKING } from './answers.ts';
import type { RegistryDatabase, RegistryTransaction } from './database.ts';
import type { CredentialRow } from './record.ts';
import { change, holdCredential, liveOf, writeDecisions, writeEvent, writeOutbox } from './registry.ts';
import type { RegistryChange } from './registry.ts';
import type { SecretRow } from './secrets.ts';

/** The lanes of a credential's secrets: those of its fingerprints, and of hint and org where it is known by them. */
export function lanesOf(row: Pick<CredentialRow, 'org'>, secrets: readonly SecretRow[]): string[] {
  return [
    ...new Set(
      secrets.flatMap(({ fingerprint, hint }) => [
        ...(fingerprint === '' ? [] : [fingerprint]),
        ...(hint === '' || row.org === '' ? [] : [laneOf('', hint, row.org)]),
      ]),
    ),
  ];
}

export interface Revocation {
  id: string;
  actor: string;
  reason: string;
  confirm?: string | undefined;
  nowMs: number;
}

/**
 * Revokes for ever, with every secret that is still valid, and resolves what that answers.
 * @throws {ProblemError} `not_found`; `conflict` when it is revoked already; `validation` when the name typed is not its name
 */
export function revokeCredential(db: RegistryDatabase, revocation: Revocation): Promise<RegistryChange> {
  return change(db, (transaction) => revokeInChange(transaction, revocation));
}

/** {@link revokeCredential} as part of a larger change. */
export async function revokeInChange(
  transaction: RegistryTransaction,
  { id, actor, reason, confirm, nowMs }: Revocation,
): Promise<RegistryChange> {
  const { row: existing, secrets } = await holdCredential(transaction, id);
  if (existing.revoked_at !== null) {
    throw new ProblemError('conflict', `It was revoked at ${existing.revoked_at.toISOString()} already.`);
  }
  if (confirm !== undefined && confirm !== existing.name) {
    throw new ProblemError('validation', 'confirm is not the name of this key. Nothing was changed.', [
      { path: 'confirm', message: 'must be the name of the key' },
    ]);
  }
  const at = new Date(nowMs);
  const changed = { revoked_at: at, revoked_by: actor, revoke_reason: reason, version: existing.version + 1 };
  const row: CredentialRow = { ...existing, ...changed };
  await transaction.updateTable('credentials').set(changed).where('id', '=', id).execute();
  await transaction
    .updateTable('credential_secrets')
    .set({ ends_at: at })
    .where('credential_id', '=', id)
    .where('ends_at', '>', at)
    .execute();
  const ended = liveOf(secrets, nowMs).map((secret) => (secret.ends_at === null ? secret : { ...secret, ends_at: at }));
  await writeEvent(transaction, { actor, action: 'revoked', credentialId: id, at, detail: reason });
  const decided = lanesOf(row, secrets).map((lane) => ({
    ...{ lane, rules: ANSWERED_BY_REVOKING, status: 'resolved' as const },
    reason: `${row.name} was revoked`,
  }));
  await writeDecisions(transaction, decided, { credentialId: id, actor, at });
  return { row, outboxId: await writeOutbox(transaction, row, ended, at) };
}
