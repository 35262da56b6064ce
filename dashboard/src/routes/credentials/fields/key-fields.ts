import type { CredentialCreate, CredentialEdit, CredentialItem, Problem } from '@lanewatch/query-api/contract';
import { holdsRawKey } from '@lanewatch/query-api/contract/raw-key';

/** Text fields of the forms that make and change keys. */
const TEXT_FIELDS = [
  'name',
  'fingerprint',
  'hint',
  'provider',
  'org',
  'project',
  'owner',
  'owner_kind',
  'team',
  'module',
  'environment',
  'sharing',
  'people_declared',
  'expiry',
  'expires',
  'cidrs_ipv4',
  'cidrs_ipv6',
  'expected_agents',
  'expected_repos',
  'budget_usd',
  'budget_period',
  'rate_limit',
] as const;
type TextField = (typeof TEXT_FIELDS)[number];

/** A scope as a form holds it: what is typed may be none. */
export interface ScopeField {
  action: string;
  resource: string;
}

/** What the fields show: as prefilled, or as sent and refused. Lists are texts with one value a line. */
export type KeyFields = Record<TextField, string> & { scopes: ScopeField[] };

/** Days that an expiry may be chosen by. */
export const EXPIRY_DAYS = [30, 60, 90] as const;
const DAY_MS = 86_400_000;

export function emptyKeyFields(): KeyFields {
  const blank = Object.fromEntries(TEXT_FIELDS.map((name) => [name, ''])) as Record<TextField, string>;
  return { ...blank, sharing: 'personal', people_declared: '1', budget_period: 'month', scopes: [] };
}

/** The fields of a sent form; only those that the page has. */
export function keyFieldsOf(form: FormData): KeyFields {
  const fields = emptyKeyFields();
  for (const name of TEXT_FIELDS) {
    const value = form.get(name);
    if (typeof value === 'string') fields[name] = value.trim();
  }
  const actions = form.getAll('scope_action').map(String);
  const resources = form.getAll('scope_resource').map(String);
  fields.scopes = actions
    .map((action, at) => ({ action, resource: (resources[at] ?? '').trim() }))
    .filter(({ resource }) => resource !== '');
  return fields;
}

const linesOf = (values: readonly string[]) => values.join('\n');
const isIpv6 = (cidr: string) => cidr.includes(':');

/** A key as its form begins. */
export function keyFieldsOfCredential(key: CredentialItem): KeyFields {
  const { name, fingerprint, hint, provider, org, project, owner, owner_kind, team, module, environment } = key;
  return {
    ...{ name, fingerprint, hint, provider, org, project, owner, owner_kind, team, module, environment },
    ...{ sharing: key.sharing, people_declared: String(key.people_declared), expiry: 'keep', expires: '' },
    cidrs_ipv4: linesOf(key.allowed_cidrs.filter((cidr) => !isIpv6(cidr))),
    cidrs_ipv6: linesOf(key.allowed_cidrs.filter(isIpv6)),
    expected_agents: linesOf(key.expected_agents),
    expected_repos: linesOf(key.expected_repos),
    budget_usd: key.budget?.amount_usd ?? '',
    budget_period: key.budget?.period ?? 'month',
    rate_limit: key.rate_limit_per_minute === null ? '' : String(key.rate_limit_per_minute),
    scopes: key.scopes.map(({ action, resource }) => ({ action, resource })),
  };
}

/** Fields to show again beside a refusal: a raw key in one of them is not written back into the page. */
export function shownAgain(fields: KeyFields): KeyFields {
  const clean = (text: string) => (holdsRawKey(text) ? '' : text);
  const texts = Object.fromEntries(TEXT_FIELDS.map((name) => [name, clean(fields[name])])) as Record<TextField, string>;
  return { ...texts, scopes: fields.scopes.map(({ action, resource }) => ({ action, resource: clean(resource) })) };
}

/** Values of a text with one a line; commas part them, too. */
const valuesOf = (text: string) =>
  text
    .split(/[\n,]/)
    .map((value) => value.trim())
    .filter((value) => value !== '');

/** When a key ends by what was chosen: after so many days, at the end of a day (UTC), or never. */
function expiryOf({ expiry, expires }: KeyFields, nowMs: number): string | null {
  const days = EXPIRY_DAYS.find((one) => String(one) === expiry);
  if (days !== undefined) return new Date(nowMs + days * DAY_MS).toISOString();
  // A form without the choice names a day alone; one that is none is left to whoever judges it.
  if (expiry === 'none' || expires === '') return null;
  return `${expires}T23:59:59Z`;
}

const numberOf = (text: string) => (text === '' ? null : Number(text));

/** What may be said at creation and changed later. query-api judges it. */
function editableOf(fields: KeyFields, nowMs: number) {
  const { name, project, owner, owner_kind, team, module, environment, sharing } = fields;
  return {
    ...{ name, project, owner, team, module },
    owner_kind: owner_kind as NonNullable<CredentialCreate['owner_kind']>,
    environment: environment as NonNullable<CredentialCreate['environment']>,
    sharing: sharing === 'team' ? ('team' as const) : ('personal' as const),
    people_declared: sharing === 'team' ? Number(fields.people_declared) || 1 : 1,
    expires_at: expiryOf(fields, nowMs),
    allowed_cidrs: [...valuesOf(fields.cidrs_ipv4), ...valuesOf(fields.cidrs_ipv6)],
    expected_agents: valuesOf(fields.expected_agents),
    expected_repos: valuesOf(fields.expected_repos),
    budget:
      fields.budget_usd === ''
        ? null
        : { amount_usd: fields.budget_usd, period: fields.budget_period as 'day' | 'week' | 'month' },
    rate_limit_per_minute: numberOf(fields.rate_limit),
  };
}

type Scopes = NonNullable<CredentialCreate['scopes']>;

/** The request for a key of ours. */
export function createRequestOf(fields: KeyFields, nowMs: number): CredentialCreate {
  return { ...editableOf(fields, nowMs), kind: 'managed', org: fields.org, scopes: fields.scopes as Scopes };
}

/** The request for recording a provider's key. Only what the method is about is taken: a value left in a field of another does not travel along. */
export function registerRequestOf(fields: KeyFields, byHint: boolean, nowMs: number): CredentialCreate {
  return {
    ...editableOf(fields, nowMs),
    ...{ kind: 'registered', org: fields.org, provider: fields.provider },
    ...(byHint ? {} : { fingerprint: fields.fingerprint }),
    ...(fields.hint === '' ? {} : { hint: fields.hint }),
  };
}

/** What of a key a form changes; empty when it leaves all as it is. */
export function changesOf(
  key: CredentialItem,
  fields: KeyFields,
  nowMs: number,
): Omit<CredentialEdit, 'version' | 'dry_run'> {
  const { expires_at: expiresAt, ...wanted } = editableOf(fields, nowMs);
  const all = {
    ...wanted,
    ...(fields.expiry === 'keep' ? {} : { expires_at: expiresAt }),
    ...(key.kind === 'managed' ? { scopes: fields.scopes as Scopes } : { org: fields.org }),
  };
  const isOther = ([name, value]: [string, unknown]) =>
    JSON.stringify(value) !== JSON.stringify(key[name as keyof CredentialItem]);
  return Object.fromEntries(Object.entries(all).filter(isOther));
}

/** What query-api says of one field, in one text; '' for nothing. `scopes` hears of `scopes.0.resource`, too. */
export function errorOf(errors: Problem['errors'], field: string): string {
  return errors
    .filter(({ path }) => path === field || path.startsWith(`${field}.`))
    .map(({ path, message }) => (path === field ? message : `${placeIn(path)} ${message}`))
    .join('; ');
}

/** `allowed_cidrs.1` is the second one. */
function placeIn(path: string): string {
  const at = /\.(\d+)/.exec(path)?.[1];
  return at === undefined ? '' : `no. ${Number(at) + 1}`;
}
