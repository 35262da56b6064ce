import { parseCidr, resourceFilterFault, TIME_MAX_MS } from '@lanewatch/ingest/contract';
import type { CredentialScope } from '@lanewatch/ingest/contract';
import type { Module } from '../../contract/index.ts';
import { holdsRawKey } from '../../contract/raw-key.ts';
import { ProblemError } from '../http/problem.ts';
import type { FieldError } from '../http/problem.ts';

/** Checks that creating, importing and editing share. Each adds to `errors` what is wrong, and returns what can be used. */

/** Names are shown on one line and copied into configuration; Postgres has no NUL in texts at all. */
const CONTROL_CHARACTER = /\p{Cc}/u;

/** Every text inside a value with the path to it. */
export function textsIn(value: unknown, path = ''): { path: string; text: string }[] {
  if (typeof value === 'string') return [{ path, text: value }];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => textsIn(child, path === '' ? key : `${path}.${key}`));
}

/** Texts that can't be kept, in any field. */
export function textErrors(input: object): FieldError[] {
  return textsIn(input).flatMap(({ path, text }) => {
    if (CONTROL_CHARACTER.test(text)) return [{ path, message: 'must not hold control characters' }];
    // Half of a surrogate pair is no character: JSON can spell it, Postgres refuses it.
    return text.isWellFormed() ? [] : [{ path, message: 'must be Unicode text; it holds half of a character' }];
  });
}

/** Fields that hold what looks like a raw key. */
function rawKeyErrors(input: object): FieldError[] {
  return textsIn(input)
    .filter(({ text }) => holdsRawKey(text))
    .map(({ path }) => ({ path, message: 'looks like a raw key' }));
}

/** Looks into every text of a request, whatever its field. */
export function refuseRawKeys(input: object): void {
  const errors = rawKeyErrors(input);
  if (errors.length === 0) return;
  throw new ProblemError(
    'raw_key',
    'A raw key must not be sent. Hash it where it is typed and send its SHA-256 as fingerprint, with its masked form as hint. Nothing was stored.',
    errors,
  );
}

/** Throws one problem that names every field. */
export function refuseErrors(errors: FieldError[]): void {
  if (errors.length === 0) return;
  throw new ProblemError('validation', errors.map(({ path, message }) => `${path} ${message}`).join('; '), errors);
}

export function checkedCidrs(texts: readonly string[], errors: FieldError[]): string[] {
  const cidrs = texts.flatMap((text, index) => {
    const parsed = parseCidr(text);
    if (parsed.ok) return [parsed.cidr];
    errors.push({ path: `allowed_cidrs.${index}`, message: parsed.reason });
    return [];
  });
  return [...new Set(cidrs)];
}

export function checkScopes(scopes: readonly CredentialScope[], errors: FieldError[]): void {
  for (const [index, { resource }] of scopes.entries()) {
    const fault = resourceFilterFault(resource);
    if (fault !== null) errors.push({ path: `scopes.${index}.resource`, message: fault });
  }
}

export function checkedExpiry(expiresAt: string | null, nowMs: number, errors: FieldError[]): Date | null {
  if (expiresAt === null) return null;
  const date = new Date(expiresAt);
  if (date.getTime() <= nowMs) errors.push({ path: 'expires_at', message: 'must be in the future' });
  // Later instants have no form that every reader of the record takes: from the year 10000 on RFC 3339 has none.
  if (date.getTime() > TIME_MAX_MS) {
    errors.push({ path: 'expires_at', message: `must be at the latest ${new Date(TIME_MAX_MS).toISOString()}` });
  }
  return date;
}

/** What holds between fields of a credential, whoever set them. */
export function checkTogether(
  fields: {
    kind: string;
    environment: string;
    expires_at: Date | null;
    sharing: string;
    people_declared: number;
    module: string;
  },
  modules: readonly Module[],
  errors: FieldError[],
): void {
  if (fields.kind === 'managed' && fields.environment === 'production' && fields.expires_at === null) {
    errors.push({ path: 'expires_at', message: 'is required for production keys' });
  }
  if (fields.sharing === 'personal' && fields.people_declared > 1) {
    errors.push({
      path: 'people_declared',
      message: 'must be 1 for a personal key; declare a team key with sharing: team',
    });
  }
  if (fields.module !== '' && !modules.some(({ id }) => id === fields.module)) {
    errors.push({ path: 'module', message: `must be one of ${modules.map(({ id }) => id).join(', ')}` });
  }
}
