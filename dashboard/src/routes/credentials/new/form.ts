import type { CredentialCreate, Problem } from '@lanewatch/query-api/contract';
import { holdsRawKey } from '@lanewatch/query-api/contract/raw-key';

/** How a key is named to the registry: hashed here from the key itself, by fingerprint, by hint and org; or issued by us. */
const METHODS = ['paste', 'fingerprint', 'hint', 'collector'] as const;
export type Method = (typeof METHODS)[number];

export const METHOD_NAMES: Record<Method, string> = {
  paste: 'Paste the key',
  fingerprint: 'Fingerprint',
  hint: 'Hint and org',
  collector: 'Issue a collector key',
};
export const ALL_METHODS = METHODS;

export const methodOf = (text: string | null): Method => METHODS.find((method) => method === text) ?? 'paste';

/** What the fields show: as prefilled, or as sent and refused. */
export type Fields = Record<
  | 'name'
  | 'fingerprint'
  | 'hint'
  | 'provider'
  | 'org'
  | 'owner'
  | 'owner_kind'
  | 'environment'
  | 'sharing'
  | 'people_declared'
  | 'expires',
  string
>;

const FIELD_NAMES = [
  'name',
  'fingerprint',
  'hint',
  'provider',
  'org',
  'owner',
  'owner_kind',
  'environment',
  'sharing',
  'people_declared',
  'expires',
] as const satisfies readonly (keyof Fields)[];

export const emptyFields = (): Fields => ({
  name: '',
  fingerprint: '',
  hint: '',
  provider: '',
  org: '',
  owner: '',
  owner_kind: '',
  environment: '',
  sharing: 'personal',
  people_declared: '1',
  expires: '',
});

/** The fields of a sent form; only those that the page has. */
export function fieldsOf(form: FormData): Fields {
  const fields = emptyFields();
  for (const name of FIELD_NAMES) {
    const value = form.get(name);
    if (typeof value === 'string') fields[name] = value.trim();
  }
  return fields;
}

/** Fields to show again beside a refusal: a raw key in one of them is not written back into the page. */
export function shownAgain(fields: Fields): Fields {
  const shown = { ...fields };
  for (const name of FIELD_NAMES) if (holdsRawKey(shown[name])) shown[name] = '';
  return shown;
}

/** End of the day that the form names, in UTC; null without one or when it is none (the field is a date picker). */
function expiryOf(day: string): string | null {
  return /^\d{4}-\d{2}-\d{2}$/.test(day) && !Number.isNaN(Date.parse(day)) ? `${day}T23:59:59Z` : null;
}

/**
 * The request that a form asks for. query-api judges it; here only the method's own fields are taken, so that a value left in a field of
 * another method does not travel along.
 */
export function requestOf(method: Method, fields: Fields): CredentialCreate {
  const { name, org, owner, owner_kind, environment, sharing, people_declared, expires } = fields;
  const common = {
    name,
    org,
    owner,
    owner_kind: owner_kind as NonNullable<CredentialCreate['owner_kind']>,
    environment: environment as NonNullable<CredentialCreate['environment']>,
    expires_at: expiryOf(expires),
  };
  if (method === 'collector') return { ...common, kind: 'managed', sharing: 'team' };
  return {
    ...common,
    kind: 'registered',
    sharing: sharing === 'team' ? 'team' : 'personal',
    people_declared: sharing === 'team' ? Number(people_declared) || 1 : 1,
    provider: fields.provider,
    ...(method === 'hint' ? {} : { fingerprint: fields.fingerprint }),
    ...(fields.hint === '' ? {} : { hint: fields.hint }),
  };
}

/** What is missing before query-api is asked at all; a problem in its own shape, or null. */
export function missingIn(method: Method, fields: Fields): Pick<Problem, 'detail' | 'errors'> | null {
  if (method === 'paste' && fields.fingerprint === '') {
    return { detail: 'Paste the key first: its fingerprint is what gets registered.', errors: [] };
  }
  return null;
}
