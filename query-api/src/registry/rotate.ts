import { credentialRecordKey } from '@lanewatch/ingest/contract';
import type { z } from 'zod';
import type { credentialRotateSchema } from '../../contract/index.ts';
import { ProblemError } from '../http/problem.ts';
import type { FieldError } from '../http/problem.ts';
import { refuseDuplicate } from './add.ts';
import type { RegistryDatabase } from './database.ts';
import { checkedNames, newSecret } from './draft.ts';
import { refuseErrors, refuseRawKeys } from './fields.ts';
import type { ManagedEnvironment } from './managed-secret.ts';
import { statusAt } from './record.ts';
import type { CredentialRow } from './record.ts';
import { change, holdCredential, liveOf, writeEvent, writeOutbox } from './registry.ts';
import type { RegistryChange } from './registry.ts';
import type { RegistryTransaction } from './database.ts';
import { firstSecretOf } from './secrets.ts';
import type { SecretRow } from './secrets.ts';

export type RotateInput = z.output<typeof credentialRotateSchema>;

export interface Rotation extends RegistryChange {
  secret: string | null;
  previous: SecretRow;
  secrets: SecretRow[];
}

interface Replacement {
  id: string;
  act: keyof typeof ACT;
  input: RotateInput;
  actor: string;
  nowMs: number;
  /** Who asks, where their own personal API token is to stay one with its new secret. */
  tokenOwnerId?: string | undefined;
}

const ACT = {
  rotated: 'rotated',
  regenerated: 'regenerated',
} as const;

/**
 * Gives a credential a new secret. Rotating leaves the old one valid for its grace, never past the credential's expiry, and others in
 * grace as they are; regenerating ends all of them at once.
 * @throws {ProblemError} `not_found`; `conflict` when it is retired or was changed since; `validation`
 */
export function replaceSecret(db: RegistryDatabase, replacement: Replacement): Promise<Rotation> {
  refuseRawKeys(replacement.input);
  return change(db, (transaction) => replaceSecretIn(transaction, replacement));
}

/** As {@link replaceSecret}, as a part of a change that does more. */
export async function replaceSecretIn(transaction: RegistryTransaction, replacement: Replacement): Promise<Rotation> {
  const { id, act, input, actor, nowMs } = replacement;
  const at = new Date(nowMs);
  const { row: before, secrets } = await holdCredential(transaction, id, input.version);
  refuseRetired(before, act, nowMs);
  const made = newNames(before, act, input);
  const named = { ...before, ...made.names };
  const row: CredentialRow = {
    ...named,
    record_key: credentialRecordKey(named),
    secret_created_at: at,
    version: before.version + 1,
  };
  await refuseDuplicate(transaction, row);
  const graceEndsMs = Math.min(nowMs + input.grace_seconds * 1_000, before.expires_at?.getTime() ?? Infinity);
  const touched = liveOf(secrets, nowMs).flatMap((secret): SecretRow[] => {
    if (secret.replaced_at === null) {
      return [{ ...secret, replaced_at: at, replaced_by: actor, ends_at: new Date(graceEndsMs) }];
    }
    return act === 'regenerated' ? [{ ...secret, ends_at: at }] : [secret];
  });
  for (const { record_key: key, replaced_at, replaced_by, ends_at } of touched) {
    const ended = { replaced_at, replaced_by, ends_at };
    await transaction.updateTable('credential_secrets').set(ended).where('record_key', '=', key).execute();
  }
  const present: SecretRow = { ...firstSecretOf(row), created_by: actor };
  await transaction.insertInto('credential_secrets').values(present).execute();
  if (replacement.tokenOwnerId !== undefined) await keepToken(transaction, row, replacement.tokenOwnerId);
  const { fingerprint, hint, record_key, secret_created_at, version } = row;
  await transaction
    .updateTable('credentials')
    .set({ fingerprint, hint, record_key, secret_created_at, version })
    .where('id', '=', id)
    .execute();
  const previous = touched.find(({ record_key: key }) => key === before.record_key)!;
  await writeEvent(transaction, {
    ...{ actor, action: act, credentialId: id, at, detail: input.reason },
    changes: [
      { field: 'fingerprint', before: before.fingerprint, after: fingerprint },
      { field: 'hint', before: before.hint, after: hint },
      { field: 'old_secret_valid_until', before: null, after: previous.ends_at?.toISOString() ?? null },
    ],
  });
  const outboxId = await writeOutbox(transaction, row, [...touched, present], at);
  const rest = secrets.filter(({ record_key: key }) => !touched.some((secret) => secret.record_key === key));
  return { row, outboxId, secret: made.secret, previous, secrets: [present, ...touched, ...rest] };
}

/** The new secret of a person's token speaks for them as the old one does, if it was they who asked for it. */
async function keepToken(transaction: RegistryTransaction, row: CredentialRow, userId: string): Promise<void> {
  const token = await transaction
    .selectFrom('personal_tokens')
    .selectAll()
    .where('credential_id', '=', row.id)
    .where('user_id', '=', userId)
    .limit(1)
    .executeTakeFirst();
  if (token === undefined) return;
  await transaction
    .insertInto('personal_tokens')
    .values({ ...token, fingerprint: row.fingerprint })
    .execute();
}

function refuseRetired(row: CredentialRow, act: keyof typeof ACT, nowMs: number): void {
  const status = statusAt(row, nowMs);
  if (status === 'active') return;
  const why =
    status === 'revoked'
      ? `It was revoked at ${row.revoked_at?.toISOString() ?? ''}, which is for ever`
      : `It expired at ${row.expires_at?.toISOString() ?? ''}`;
  throw new ProblemError('conflict', `${why}: it can’t be ${ACT[act]}. Issue another key.`);
}

/** The new secret of ours, or what is told of a provider's. */
function newNames(
  row: CredentialRow,
  act: keyof typeof ACT,
  input: RotateInput,
): { secret: string | null; names: { fingerprint: string; hint: string } } {
  const errors: FieldError[] = [];
  if (row.kind === 'managed') {
    if (input.fingerprint)
      errors.push({ path: 'fingerprint', message: 'is made by us for a managed key; leave it out' });
    if (input.hint) errors.push({ path: 'hint', message: 'is made by us for a managed key; leave it out' });
    refuseErrors(errors);
    const { secret, fingerprint, hint } = newSecret(row.environment as ManagedEnvironment);
    return { secret, names: { fingerprint, hint } };
  }
  if (act === 'regenerated') {
    throw new ProblemError(
      'conflict',
      'It is a provider’s key: make the new one there, then rotate to its fingerprint here.',
    );
  }
  const names = checkedNames(input, errors);
  if (names.fingerprint === '' && row.org === '') {
    errors.push({ path: 'org', message: 'of the key is needed with a hint alone; set it first' });
  }
  refuseErrors(errors);
  return { secret: null, names };
}
