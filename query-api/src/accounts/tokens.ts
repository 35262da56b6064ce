import { fingerprintOf } from '@lanewatch/ingest/contract';
import type { CredentialScope } from '@lanewatch/ingest/contract';
import type { Role, TokenAccess } from '../../contract/index.ts';
import type { RegistryDatabase } from '../registry/database.ts';
import { statusAt } from '../registry/record.ts';
import type { RegistrySnapshot } from '../registry/view.ts';
import { lowerRole } from './principal.ts';
import type { Principal } from './principal.ts';

/** Scopes of personal API tokens name this API and nothing else, so that one can never ship events or reach another service. */
const RESOURCE = 'query-api/*';
const SECRET = /^lw_[a-z]+_[0-9A-Za-z]{32}_[0-9A-Za-z]{6}$/;
/** How often a token's last use is written. */
const TOUCH_MS = 60_000;

/** What each action on this API comes to. */
const ROLE_OF: Record<TokenAccess, Role> = { read: 'analyst', write: 'responder', admin: 'admin' };

export const scopesOf = (access: TokenAccess): CredentialScope[] => [{ action: access, resource: RESOURCE }];

/** The most that a token's scopes allow here; null for nothing. */
export function accessOf(scopes: readonly CredentialScope[]): TokenAccess | null {
  const actions = new Set(scopes.filter(({ resource }) => resource === RESOURCE).map(({ action }) => action));
  return (['admin', 'write', 'read'] as const).find((access) => actions.has(access)) ?? null;
}

export interface PersonalTokens {
  /** Who a secret speaks for; null when it is no personal token, or not one that works now. */
  principal(secret: string, ip: string): Promise<Principal | null>;
}

/** Personal API tokens: managed credentials of a person, with a role of their own that never exceeds the person's. */
export function createPersonalTokens(
  db: RegistryDatabase,
  registry: { current(): Promise<RegistrySnapshot> },
  now: () => number,
): PersonalTokens {
  return {
    async principal(secret) {
      if (!SECRET.test(secret)) return null;
      const row = (await registry.current()).byFingerprint.get(fingerprintOf(secret));
      if (row === undefined || statusAt(row, now()) !== 'active') return null;
      const access = accessOf(row.scopes);
      if (access === null) return null;
      const owner = await db
        .selectFrom('personal_tokens')
        .innerJoin('users', 'users.id', 'personal_tokens.user_id')
        .select(['users.id', 'name', 'email', 'role', 'setup_pending', 'two_factor_enabled', 'last_used_at'])
        .where('credential_id', '=', row.id)
        .where('banned', '=', false)
        .executeTakeFirst();
      if (owner === undefined) return null;
      if (now() - (owner.last_used_at?.getTime() ?? 0) > TOUCH_MS) {
        const used = { last_used_at: new Date(now()) };
        await db.updateTable('personal_tokens').set(used).where('credential_id', '=', row.id).execute();
      }
      return {
        via: 'token',
        person: {
          id: owner.id,
          name: owner.name,
          email: owner.email,
          role: owner.role,
          setupPending: owner.setup_pending,
          twoFactorEnabled: owner.two_factor_enabled,
        },
        role: lowerRole(owner.role, ROLE_OF[access]),
        expiresMs: row.expires_at?.getTime() ?? null,
        session: null,
      };
    },
  };
}
