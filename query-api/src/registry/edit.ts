import { credentialRecordKey, isPrivileged } from '@lanewatch/ingest/contract';
import type { z } from 'zod';
import type { credentialEditSchema, FieldChange, Module } from '../../contract/index.ts';
import { changesOf } from '../audit/changes.ts';
import { ProblemError } from '../http/problem.ts';
import type { FieldError } from '../http/problem.ts';
import { settle } from './add.ts';
import { answerOf } from './answers.ts';
import type { OpenFinding } from './answers.ts';
import type { RegistryDatabase } from './database.ts';
import {
  checkedCidrs,
  checkedExpiry,
  checkScopes,
  checkTogether,
  refuseErrors,
  refuseRawKeys,
  textErrors,
} from './fields.ts';
import { budgetOf, insertableOf, isWeaklyGoverned, statusAt } from './record.ts';
import type { CredentialRow } from './record.ts';
import { change, holdCredential, liveOf, writeEvent, writeOutbox } from './registry.ts';
import type { RegistryChange } from './registry.ts';
import { snapshotOf } from './view.ts';

export type EditInput = z.output<typeof credentialEditSchema>;

/** Fields in the order in which a change lists them. */
const FIELDS = [
  'name',
  'org',
  'project',
  'owner',
  'owner_kind',
  'team',
  'module',
  'environment',
  'scopes',
  'allowed_cidrs',
  'expected_agents',
  'expected_repos',
  'sharing',
  'people_declared',
  'expires_at',
  'budget',
  'rate_limit_per_minute',
] as const;

const shown = (row: CredentialRow): Record<(typeof FIELDS)[number], unknown> => ({
  ...row,
  budget: budgetOf(row),
  expires_at: row.expires_at?.toISOString() ?? null,
});

/** What differs between two versions of a credential. Pure. */
export function changesBetween(before: CredentialRow, after: CredentialRow): FieldChange[] {
  return changesOf(FIELDS, shown(before), shown(after));
}

/** Whether a change gives permissions to trigger or administer that the key did not have, or has by another filter. */
export function widensPrivilege(before: CredentialRow, after: CredentialRow): boolean {
  const held = new Set(before.scopes.map(({ action, resource }) => `${action} ${resource}`));
  return isPrivileged(after.scopes.filter(({ action, resource }) => !held.has(`${action} ${resource}`)));
}

/**
 * The credential as a change would make it. Pure.
 * @throws {ProblemError} naming every field that can't be used; `conflict` for a retired key
 */
export function editedRow(
  existing: CredentialRow,
  input: EditInput,
  nowMs: number,
  modules: readonly Module[],
): CredentialRow {
  const { version: _version, dry_run: _dryRun, ...fields } = input;
  refuseRawKeys(fields);
  refuseRetired(existing, fields, nowMs);
  const errors: FieldError[] = textErrors(fields);
  if (fields.scopes !== undefined && existing.kind === 'registered') {
    errors.push({ path: 'scopes', message: 'belong to managed keys; a provider’s key has its scopes there' });
  }
  if (fields.environment !== undefined && existing.kind === 'managed' && fields.environment !== existing.environment) {
    errors.push({
      path: 'environment',
      message: 'is part of a managed key: issue another key for another environment',
    });
  }
  if (fields.org !== undefined && fields.org !== existing.org && existing.fingerprint === '') {
    errors.push({ path: 'org', message: 'is what this key is known by, together with its hint; register it anew' });
  }
  checkScopes(fields.scopes ?? [], errors);
  const { budget, expires_at: expiresAt, allowed_cidrs: cidrs, ...plain } = fields;
  const row: CredentialRow = {
    ...existing,
    ...(Object.fromEntries(Object.entries(plain).filter(([, value]) => value !== undefined)) as Partial<CredentialRow>),
    ...(cidrs === undefined ? {} : { allowed_cidrs: checkedCidrs(cidrs, errors) }),
    ...(expiresAt === undefined || isSameInstant(expiresAt, existing.expires_at)
      ? {}
      : { expires_at: checkedExpiry(expiresAt, nowMs, errors) }),
    ...(budget === undefined ? {} : { budget_usd: budget?.amount_usd ?? '', budget_period: budget?.period ?? '' }),
    version: existing.version + 1,
  };
  checkTogether(row, row.module === existing.module ? [...modules, { id: row.module, label: '' }] : modules, errors);
  refuseErrors(errors);
  return row;
}

const isSameInstant = (text: string | null, date: Date | null): boolean =>
  text === null ? date === null : new Date(text).getTime() === date?.getTime();

function refuseRetired(existing: CredentialRow, fields: Partial<EditInput>, nowMs: number): void {
  const status = statusAt(existing, nowMs);
  if (status === 'revoked') {
    throw new ProblemError('conflict', 'It is revoked, which is for ever: nothing about it can be changed any more.');
  }
  if (
    status === 'expired' &&
    fields.expires_at !== undefined &&
    !isSameInstant(fields.expires_at, existing.expires_at)
  ) {
    throw new ProblemError(
      'conflict',
      `It expired at ${existing.expires_at?.toISOString() ?? ''} and can’t be brought back: issue another key.`,
      [{ path: 'expires_at', message: 'can’t be changed once it has passed' }],
    );
  }
}

/**
 * Changes a credential. Secrets in grace change with it. When owner and organisation now answer for it, what was only lowered is
 * resolved, and the other way round.
 * @param mayGrant asked before anything is written whether permissions to trigger or administer may be given; throws when not
 * @throws {ProblemError} as {@link editedRow}; `not_found`; `conflict` when somebody changed it since
 */
export function editCredential(
  db: RegistryDatabase,
  edit: {
    id: string;
    input: EditInput;
    actor: string;
    nowMs: number;
    modules: readonly Module[];
    open: readonly OpenFinding[];
    mayGrant: () => void;
  },
): Promise<RegistryChange & { before: CredentialRow; changes: FieldChange[] }> {
  const { id, input, actor, nowMs, modules, open, mayGrant } = edit;
  const at = new Date(nowMs);
  return change(db, async (transaction) => {
    const { row: before, secrets } = await holdCredential(transaction, id, input.version);
    const row = { ...editedRow(before, input, nowMs, modules), changed_by: actor };
    const changes = changesBetween(before, row);
    if (widensPrivilege(before, row)) mayGrant();
    if (changes.length === 0) return { row: before, before, changes, outboxId: 0 };
    const {
      id: _id,
      created_at: _createdAt,
      ...written
    } = insertableOf({
      ...row,
      record_key: credentialRecordKey(row),
    });
    await transaction.updateTable('credentials').set(written).where('id', '=', id).execute();
    if (isWeaklyGoverned(before) !== isWeaklyGoverned(row)) {
      await settle(
        transaction,
        row,
        (sameHint) => {
          const others = sameHint.filter((other) => other.id !== id);
          return answerOf(row, snapshotOf(0, [...others, row]), open, nowMs);
        },
        { actor, at },
      );
    }
    await writeEvent(transaction, { actor, action: 'edited', credentialId: id, at, changes });
    return { row, before, changes, outboxId: await writeOutbox(transaction, row, liveOf(secrets, nowMs), at) };
  });
}
