import type { CredentialRecord } from '@lanewatch/ingest/contract';
import type { Selectable } from 'kysely';
import type { CredentialSecret } from '../../contract/index.ts';
import { recordOf, statusAt } from './record.ts';
import type { CredentialRow } from './record.ts';
import type { CredentialSecretsTable } from './schema.ts';

export type SecretRow = Selectable<CredentialSecretsTable>;

/**
 * The credential as one of its secrets shows it. One that was rotated out is revoked when its grace ends, whatever becomes of the
 * credential; a revocation of the credential ends its grace, so that this says both. Pure.
 */
export function rowOfSecret(row: CredentialRow, secret: SecretRow): CredentialRow {
  const { record_key, fingerprint, hint, replaced_at: replacedAt, ends_at: endsAt } = secret;
  const named = { ...row, record_key, fingerprint, hint };
  return replacedAt === null ? named : { ...named, revoked_at: replacedAt, grace_ends_at: endsAt };
}

/** The record of one secret as it goes on the credentials topic. */
export function recordOfSecret(row: CredentialRow, secret: SecretRow, atMs: number): CredentialRecord {
  return {
    ...recordOf(rowOfSecret(row, secret), atMs),
    is_current: secret.replaced_at === null,
    version: secret.version,
  };
}

/** The secret that a credential is made with. */
export function firstSecretOf(row: CredentialRow): SecretRow {
  return {
    record_key: row.record_key,
    credential_id: row.id,
    fingerprint: row.fingerprint,
    hint: row.hint,
    created_at: row.secret_created_at,
    created_by: row.created_by,
    replaced_at: null,
    replaced_by: '',
    ends_at: null,
    version: row.version,
  };
}

/** Whether a secret can still be used at an instant, as far as rotation goes. */
export function isLive(secret: Pick<SecretRow, 'replaced_at' | 'ends_at'>, atMs: number): boolean {
  return secret.replaced_at === null || (secret.ends_at !== null && secret.ends_at.getTime() > atMs);
}

/** A secret as readers of the API see it. */
export function secretItemOf(row: CredentialRow, secret: SecretRow, nowMs: number): CredentialSecret {
  const usable = statusAt(row, nowMs) === 'active' && isLive(secret, nowMs);
  const isPresent = secret.replaced_at === null;
  const until = isPresent ? (row.revoked_at ?? row.expires_at) : secret.ends_at;
  return {
    fingerprint: secret.fingerprint,
    hint: secret.hint,
    state: usable ? (isPresent ? 'current' : 'grace') : 'ended',
    created_at: secret.created_at.toISOString(),
    created_by: secret.created_by,
    replaced_at: secret.replaced_at?.toISOString() ?? null,
    replaced_by: secret.replaced_by,
    valid_until: until?.toISOString() ?? null,
  };
}
