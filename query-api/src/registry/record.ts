import { mayShipEvents, revokedFromMs } from '@lanewatch/ingest/contract';
import type { Budget, CredentialRecord } from '@lanewatch/ingest/contract';
import type { Insertable, Selectable } from 'kysely';
import type { CredentialItem, Mark } from '../../contract/index.ts';
import type { CredentialsTable } from './schema.ts';

export type CredentialRow = Selectable<CredentialsTable>;

const instantOrNull = (date: Date | null): string | null => date?.toISOString() ?? null;

/** Status at an instant. Revocation wins over expiry: it is for ever. */
export function statusAt(
  row: Pick<CredentialRow, 'revoked_at' | 'expires_at'> & Partial<Pick<CredentialRow, 'grace_ends_at'>>,
  atMs: number,
): 'active' | 'expired' | 'revoked' {
  const { revoked_at, grace_ends_at = null } = row;
  // Most keys: pages ask this of every key there is.
  if (revoked_at === null && grace_ends_at === null && row.expires_at === null) return 'active';
  if (revokedFromMs({ revoked_at, grace_ends_at }) <= atMs) return 'revoked';
  if (row.expires_at !== null && row.expires_at.getTime() <= atMs) return 'expired';
  return 'active';
}

/** Its budget; null when it has none. */
export function budgetOf(row: Pick<CredentialRow, 'budget_usd' | 'budget_period'>): Budget | null {
  return row.budget_usd === '' ? null : { amount_usd: row.budget_usd, period: row.budget_period as Budget['period'] };
}

/** Nobody, or no organisation, answers for it. The organisation of a key of ours is this one. */
export function isWeaklyGoverned(row: Pick<CredentialRow, 'kind' | 'owner' | 'org'>): boolean {
  return row.owner === '' || (row.kind === 'registered' && row.org === '');
}

/** The row as it goes on the credentials topic. */
export function recordOf(row: CredentialRow, atMs: number): CredentialRecord {
  return {
    id: row.id,
    fingerprint: row.fingerprint,
    hint: row.hint,
    name: row.name,
    kind: row.kind,
    provider: row.provider,
    org: row.org,
    project: row.project,
    owner: row.owner,
    owner_kind: row.owner_kind as CredentialRecord['owner_kind'],
    team: row.team,
    module: row.module,
    environment: row.environment as CredentialRecord['environment'],
    scopes: row.scopes,
    allowed_cidrs: row.allowed_cidrs,
    expected_agents: row.expected_agents,
    expected_repos: row.expected_repos,
    budget: budgetOf(row),
    sharing: row.sharing,
    people_declared: row.people_declared,
    status: statusAt(row, atMs),
    created_at: row.created_at.toISOString(),
    ...(row.changed_by !== '' && { changed_by: row.changed_by }),
    expires_at: instantOrNull(row.expires_at),
    revoked_at: instantOrNull(row.revoked_at),
    grace_ends_at: instantOrNull(row.grace_ends_at),
    is_current: true,
    version: row.version,
  };
}

/** When a credential was used last, epoch milliseconds; null for never, `unavailable` while the ledger does not answer. */
export type LastUse = number | null | 'unavailable';

/** The row as readers of the API see it. */
export function itemOf(row: CredentialRow, seen: { lastUse: LastUse; marks: Mark[]; nowMs: number }): CredentialItem {
  return {
    id: row.id,
    kind: row.kind,
    name: row.name,
    fingerprint: row.fingerprint,
    hint: row.hint,
    provider: row.provider,
    org: row.org,
    project: row.project,
    owner: row.owner,
    owner_kind: row.owner_kind,
    team: row.team,
    module: row.module,
    environment: row.environment,
    sharing: row.sharing,
    people_declared: row.people_declared,
    scopes: row.scopes,
    may_ship_events: mayShipEvents(row),
    allowed_cidrs: row.allowed_cidrs,
    expected_agents: row.expected_agents,
    expected_repos: row.expected_repos,
    budget: budgetOf(row),
    rate_limit_per_minute: row.rate_limit_per_minute,
    status: statusAt(row, seen.nowMs),
    marks: seen.marks,
    weakly_governed: isWeaklyGoverned(row),
    created_at: row.created_at.toISOString(),
    created_by: row.created_by,
    secret_created_at: row.secret_created_at.toISOString(),
    expires_at: instantOrNull(row.expires_at),
    revoked_at: instantOrNull(row.revoked_at),
    revoked_by: row.revoked_by,
    revoke_reason: row.revoke_reason,
    ...usageOf(seen.lastUse),
    version: row.version,
  };
}

/** Last use as answers tell it. */
export function usageOf(lastUse: LastUse): Pick<CredentialItem, 'last_used_at' | 'usage'> {
  return {
    last_used_at: typeof lastUse === 'number' ? new Date(lastUse).toISOString() : null,
    usage: lastUse === 'unavailable' ? 'unavailable' : 'available',
  };
}

/** A row for insertion: JSON columns as text. */
export function insertableOf(row: CredentialRow): Insertable<CredentialsTable> {
  return {
    ...row,
    scopes: JSON.stringify(row.scopes),
    allowed_cidrs: JSON.stringify(row.allowed_cidrs),
    expected_agents: JSON.stringify(row.expected_agents),
    expected_repos: JSON.stringify(row.expected_repos),
  };
}
