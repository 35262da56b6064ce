import { mayShipEvents } from '@lanewatch/ingest/contract';
import type { CredentialRecord } from '@lanewatch/ingest/contract';
import type { Insertable, Selectable } from 'kysely';
import type { CredentialItem } from '../../contract/index.ts';
import type { CredentialsTable } from './schema.ts';

export type CredentialRow = Selectable<CredentialsTable>;

const instantOrNull = (date: Date | null): string | null => date?.toISOString() ?? null;

/** Status at an instant. Revocation wins over expiry: it is for ever. */
export function statusAt(
  row: Pick<CredentialRow, 'revoked_at' | 'expires_at'>,
  atMs: number,
): 'active' | 'expired' | 'revoked' {
  if (row.revoked_at !== null && row.revoked_at.getTime() <= atMs) return 'revoked';
  if (row.expires_at !== null && row.expires_at.getTime() <= atMs) return 'expired';
  return 'active';
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
    sharing: row.sharing,
    people_declared: row.people_declared,
    status: statusAt(row, atMs),
    created_at: row.created_at.toISOString(),
    expires_at: instantOrNull(row.expires_at),
    revoked_at: instantOrNull(row.revoked_at),
    grace_ends_at: instantOrNull(row.grace_ends_at),
    version: row.version,
  };
}

/** When a credential was used last, epoch milliseconds; null for never, `unavailable` while the ledger does not answer. */
export type LastUse = number | null | 'unavailable';

/** The row as readers of the API see it. */
export function itemOf(row: CredentialRow, lastUse: LastUse, nowMs: number): CredentialItem {
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
    environment: row.environment,
    sharing: row.sharing,
    people_declared: row.people_declared,
    scopes: row.scopes,
    may_ship_events: mayShipEvents(row),
    allowed_cidrs: row.allowed_cidrs,
    status: statusAt(row, nowMs),
    created_at: row.created_at.toISOString(),
    created_by: row.created_by,
    expires_at: instantOrNull(row.expires_at),
    revoked_at: instantOrNull(row.revoked_at),
    revoked_by: row.revoked_by,
    revoke_reason: row.revoke_reason,
    last_used_at: typeof lastUse === 'number' ? new Date(lastUse).toISOString() : null,
    usage: lastUse === 'unavailable' ? 'unavailable' : 'available',
    version: row.version,
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
