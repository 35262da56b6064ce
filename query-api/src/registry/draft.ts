import { randomBytes } from 'node:crypto';
import {
  canonicalFingerprint,
  canonicalHint,
  credentialRecordKey,
  fingerprintOf,
  hintEnds,
  hintOf,
  providerOfKey,
  TIME_MAX_MS,
} from '@lanewatch/ingest/contract';
import type { z } from 'zod';
import type { credentialCreateSchema } from '../../contract/index.ts';
import { ProblemError } from '../http/problem.ts';
import type { FieldError } from '../http/problem.ts';
import { parseCidr } from './cidr.ts';
import { createManagedSecret } from './managed-secret.ts';
import { holdsRawKey } from '../../contract/raw-key.ts';
import type { CredentialRow } from './record.ts';

type CreateInput = z.output<typeof credentialCreateSchema>;

/** A credential about to be written, and its secret when we just made it. */
export interface CredentialDraft {
  row: CredentialRow;
  secret: string | null;
}

/** Names are shown on one line and copied into configuration; Postgres has no NUL in texts at all. */
const CONTROL_CHARACTER = /\p{Cc}/u;
const COLLECTOR_SCOPES: CredentialRow['scopes'] = [{ action: 'write', resource: 'usage-events' }];

/**
 * Checks a creation request and turns it into the row to write. Issues the secret of a managed key.
 * @throws {ProblemError} naming every field that can't be used; a raw key is refused without being repeated
 */
export function draftCredential(input: CreateInput, actor: string, nowMs: number): CredentialDraft {
  refuseRawKeys(input);
  const errors: FieldError[] = textsIn(input).flatMap(({ path, text }) => {
    if (CONTROL_CHARACTER.test(text)) return [{ path, message: 'must not hold control characters' }];
    // Half of a surrogate pair is no character: JSON can spell it, Postgres refuses it.
    return text.isWellFormed() ? [] : [{ path, message: 'must be Unicode text; it holds half of a character' }];
  });
  const identity = input.kind === 'managed' ? managedIdentity(input, errors) : registeredIdentity(input, errors);
  const cidrs = checkedCidrs(input.allowed_cidrs, errors);
  const expiresAt = input.expires_at === null ? null : new Date(input.expires_at);
  if (expiresAt !== null && expiresAt.getTime() <= nowMs) {
    errors.push({ path: 'expires_at', message: 'must be in the future' });
  }
  // Later instants have no form that every reader of the record takes: from the year 10000 on RFC 3339 has none.
  if (expiresAt !== null && expiresAt.getTime() > TIME_MAX_MS) {
    errors.push({ path: 'expires_at', message: `must be at the latest ${new Date(TIME_MAX_MS).toISOString()}` });
  }
  if (input.sharing === 'personal' && input.people_declared > 1) {
    errors.push({
      path: 'people_declared',
      message: 'must be 1 for a personal key; declare a team key with sharing: team',
    });
  }
  if (errors.length > 0) {
    throw new ProblemError('validation', errors.map((error) => `${error.path} ${error.message}`).join('; '), errors);
  }
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
      module: '',
      environment: input.environment,
      scopes: input.kind === 'managed' ? (input.scopes ?? COLLECTOR_SCOPES) : [],
      allowed_cidrs: cidrs,
      expected_agents: [],
      expected_repos: [],
      sharing: input.sharing,
      people_declared: input.people_declared,
      created_at: new Date(nowMs),
      created_by: actor,
      expires_at: expiresAt,
      revoked_at: null,
      revoked_by: '',
      revoke_reason: '',
      grace_ends_at: null,
      version: 1,
    },
  };
}

interface Identity {
  fingerprint: string;
  hint: string;
  provider: string;
  secret: string | null;
}

function registeredIdentity(input: CreateInput, errors: FieldError[]): Identity {
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
  if (fingerprint === '' && hint !== '' && input.org === '') {
    errors.push({ path: 'org', message: 'is needed with a hint alone: hints of different keys can be equal' });
  }
  if (input.scopes !== undefined) {
    errors.push({ path: 'scopes', message: 'belong to managed keys; a provider’s key has its scopes there' });
  }
  return { fingerprint: fingerprint ?? '', hint, provider: input.provider || providerOfKey(hint), secret: null };
}

function managedIdentity(input: CreateInput, errors: FieldError[]): Identity {
  if (input.fingerprint) errors.push({ path: 'fingerprint', message: 'is made by us for a managed key; leave it out' });
  if (input.hint) errors.push({ path: 'hint', message: 'is made by us for a managed key; leave it out' });
  if (input.scopes?.length === 0) errors.push({ path: 'scopes', message: 'must name at least one permission' });
  if (input.environment === '') {
    errors.push({ path: 'environment', message: 'is needed for a managed key: it becomes part of the key' });
    return { fingerprint: '', hint: '', provider: 'lanewatch', secret: null };
  }
  if (input.environment === 'production' && input.expires_at === null) {
    errors.push({ path: 'expires_at', message: 'is required for production keys' });
  }
  const secret = createManagedSecret(input.environment);
  return { fingerprint: fingerprintOf(secret), hint: hintOf(secret), provider: 'lanewatch', secret };
}

function checkedCidrs(texts: string[], errors: FieldError[]): string[] {
  return texts.flatMap((text, index) => {
    const parsed = parseCidr(text);
    if (parsed.ok) return [parsed.cidr];
    errors.push({ path: `allowed_cidrs.${index}`, message: parsed.reason });
    return [];
  });
}

/** Looks into every text of the request, whatever its field. */
function refuseRawKeys(input: CreateInput): void {
  const errors = textsIn(input)
    .filter(({ text }) => holdsRawKey(text))
    .map(({ path }) => ({ path, message: 'looks like a raw key' }));
  if (errors.length === 0) return;
  throw new ProblemError(
    'raw_key',
    'A raw key must not be sent. Hash it where it is typed and send its SHA-256 as fingerprint, with its masked form as hint. Nothing was stored.',
    errors,
  );
}

/** Every text inside a value with the path to it. */
export function textsIn(value: unknown, path = ''): { path: string; text: string }[] {
  if (typeof value === 'string') return [{ path, text: value }];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => textsIn(child, path === '' ? key : `${path}.${key}`));
}
