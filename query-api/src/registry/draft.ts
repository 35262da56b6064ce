import { randomBytes } from 'node:crypto';
import {
  canonicalFingerprint,
  canonicalHint,
  credentialRecordKey,
  fingerprintOf,
  hintEnds,
  hintOf,
  providerOfKey,
} from '@lanewatch/ingest/contract';
import type { z } from 'zod';
import { MODULES_DEFAULT } from '../../contract/index.ts';
import type { credentialCreateSchema, Module } from '../../contract/index.ts';
import type { FieldError } from '../http/problem.ts';
import {
  checkedCidrs,
  checkedExpiry,
  checkScopes,
  checkTogether,
  refuseErrors,
  refuseRawKeys,
  textErrors,
} from './fields.ts';
import { createManagedSecret } from './managed-secret.ts';
import type { ManagedEnvironment } from './managed-secret.ts';
import type { CredentialRow } from './record.ts';

export type CreateInput = z.output<typeof credentialCreateSchema>;

/** A credential about to be written, and its secret when we just made it. */
export interface CredentialDraft {
  row: CredentialRow;
  secret: string | null;
}

const COLLECTOR_SCOPES: CredentialRow['scopes'] = [{ action: 'write', resource: 'usage-events' }];

/**
 * Checks a creation request and turns it into the row to write. Issues the secret of a managed key.
 * @param modules those that keys may be for
 * @throws {ProblemError} naming every field that can't be used; a raw key is refused without being repeated
 */
export function draftCredential(
  input: CreateInput,
  actor: string,
  nowMs: number,
  modules: readonly Module[] = MODULES_DEFAULT,
): CredentialDraft {
  refuseRawKeys(input);
  const errors: FieldError[] = textErrors(input);
  const identity = input.kind === 'managed' ? managedIdentity(input, errors) : registeredIdentity(input, errors);
  const allowedCidrs = checkedCidrs(input.allowed_cidrs, errors);
  const expiresAt = checkedExpiry(input.expires_at, nowMs, errors);
  checkScopes(input.scopes ?? [], errors);
  checkTogether({ ...input, expires_at: expiresAt }, modules, errors);
  refuseErrors(errors);
  return {
    secret: identity.secret,
    row: {
      id: `cred_${randomBytes(12).toString('hex')}`,
      record_key: credentialRecordKey({ ...identity, org: input.org }),
      fingerprint: identity.fingerprint,
      hint: identity.hint,
      name: input.name,
      kind: input.kind,
      provider: identity.provider,
      org: input.org,
      project: input.project,
      owner: input.owner,
      owner_kind: input.owner_kind,
      team: input.team,
      module: input.module,
      environment: input.environment,
      scopes: input.kind === 'managed' ? (input.scopes ?? COLLECTOR_SCOPES) : [],
      allowed_cidrs: allowedCidrs,
      expected_agents: input.expected_agents,
      expected_repos: input.expected_repos,
      sharing: input.sharing,
      people_declared: input.people_declared,
      budget_usd: input.budget?.amount_usd ?? '',
      budget_period: input.budget?.period ?? '',
      rate_limit_per_minute: input.rate_limit_per_minute,
      created_at: new Date(nowMs),
      created_by: actor,
      changed_by: actor,
      secret_created_at: new Date(nowMs),
      expires_at: expiresAt,
      revoked_at: null,
      revoked_by: '',
      revoke_reason: '',
      grace_ends_at: null,
      version: 1,
    },
  };
}

/** A new secret of ours and what is kept of it. */
export function newSecret(environment: ManagedEnvironment): { secret: string; fingerprint: string; hint: string } {
  const secret = createManagedSecret(environment);
  return { secret, fingerprint: fingerprintOf(secret), hint: hintOf(secret) };
}

interface Identity {
  fingerprint: string;
  hint: string;
  provider: string;
  secret: string | null;
}

function registeredIdentity(input: CreateInput, errors: FieldError[]): Identity {
  const { fingerprint, hint } = checkedNames(input, errors);
  if (fingerprint === '' && hint !== '' && input.org === '') {
    errors.push({ path: 'org', message: 'is needed with a hint alone: hints of different keys can be equal' });
  }
  if (input.scopes !== undefined) {
    errors.push({ path: 'scopes', message: 'belong to managed keys; a provider’s key has its scopes there' });
  }
  return { fingerprint, hint, provider: input.provider || providerOfKey(hint), secret: null };
}

/** Fingerprint and hint of a provider's key as they are kept. */
export function checkedNames(
  input: { fingerprint?: string | undefined; hint?: string | undefined },
  errors: FieldError[],
): { fingerprint: string; hint: string } {
  const fingerprint = input.fingerprint ? canonicalFingerprint(input.fingerprint) : '';
  const hint = canonicalHint(input.hint ?? '');
  if (fingerprint === null) {
    errors.push({ path: 'fingerprint', message: 'must be the SHA-256 of the key as 64 hex digits' });
  }
  if (hint !== '' && hintEnds(hint) === null) {
    errors.push({ path: 'hint', message: 'must be masked, such as sk-ant-api03-R2D...igAA' });
  }
  if (fingerprint === '' && hint === '') {
    errors.push({ path: 'fingerprint', message: 'or a hint with its org is needed to know the key by' });
  }
  return { fingerprint: fingerprint ?? '', hint };
}

function managedIdentity(input: CreateInput, errors: FieldError[]): Identity {
  if (input.fingerprint) errors.push({ path: 'fingerprint', message: 'is made by us for a managed key; leave it out' });
  if (input.hint) errors.push({ path: 'hint', message: 'is made by us for a managed key; leave it out' });
  if (input.scopes?.length === 0) errors.push({ path: 'scopes', message: 'must name at least one permission' });
  if (input.environment === '') {
    errors.push({ path: 'environment', message: 'is needed for a managed key: it becomes part of the key' });
    return { fingerprint: '', hint: '', provider: 'lanewatch', secret: null };
  }
  return { ...newSecret(input.environment), provider: 'lanewatch' };
}
