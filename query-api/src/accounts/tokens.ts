import { fingerprintOf } from '@lanewatch/ingest/contract';
import type { CredentialScope } from '@lanewatch/ingest/contract';
import { isAtLeast } from '../../contract/index.ts';
import type { Role, TokenAccess, TokenItem } from '../../contract/index.ts';
import type { RegistryDatabase, RegistryTransaction } from '../registry/database.ts';
import { statusAt } from '../registry/record.ts';
import { isLive } from '../registry/secrets.ts';
import { lowerRole } from './principal.ts';
import type { Principal } from './principal.ts';

/** Scopes of personal API tokens name this API and nothing else, so that one can never ship events or reach another service. */
const RESOURCE = 'query-api/*';
const SECRET = /^lw_[a-z]+_[0-9A-Za-z]{32}_[0-9A-Za-z]{6}$/;
/** How often a token's last use is written. */
const TOUCH_MS = 60_000;

/** What each access comes to. */
const ROLE_OF: Record<TokenAccess, Role> = { read: 'analyst', write: 'responder', admin: 'admin' };

export const scopesOf = (access: TokenAccess): CredentialScope[] => [{ action: access, resource: RESOURCE }];

/** Whether somebody of this role may hold a token of this access. Reading is for all; it allows no more than the role. */
export const mayHold = (role: Role, access: TokenAccess): boolean =>
  access === 'read' || isAtLeast(role, ROLE_OF[access]);

export interface PersonalTokens {
  /** Who a secret speaks for; null when it is no personal token, or not one that works now. */
  principal(secret: string): Promise<Principal | null>;
  /** Makes a credential a token of a person. */
  add(
    transaction: RegistryTransaction,
    token: { credentialId: string; fingerprint: string; userId: string; access: TokenAccess },
  ): Promise<void>;
  /** What a credential may do as a token of that person; null when it is none of theirs. */
  access(credentialId: string, userId: string): Promise<TokenAccess | null>;
  /** A person's tokens, newest first. */
  list(userId: string): Promise<TokenItem[]>;
  /** When each token that was used was used last, epoch milliseconds by credential; at most a minute late. */
  lastUses(): Promise<Map<string, number>>;
}

/** Personal API tokens: managed credentials of a person, with a role of their own that never exceeds the person's. */
export function createPersonalTokens(db: RegistryDatabase, now: () => number): PersonalTokens {
  const withCredentials = () =>
    db.selectFrom('personal_tokens').innerJoin('credentials', 'credentials.id', 'personal_tokens.credential_id');

  return {
    async principal(secret) {
      if (!SECRET.test(secret)) return null;
      const row = await withCredentials()
        .innerJoin('users', 'users.id', 'personal_tokens.user_id')
        .select(['users.id', 'users.name', 'email', 'role', 'setup_pending', 'two_factor_enabled'])
        .innerJoin('credential_secrets', 'credential_secrets.fingerprint', 'personal_tokens.fingerprint')
        .select(['personal_tokens.credential_id', 'access', 'last_used_at', 'revoked_at', 'credentials.expires_at'])
        .select(['replaced_at', 'ends_at'])
        .where('personal_tokens.fingerprint', '=', fingerprintOf(secret))
        .where('banned', '=', false)
        .executeTakeFirst();
      // A secret that was replaced in the registry works here, too, for as long as its grace lasts.
      if (row === undefined || statusAt(row, now()) !== 'active' || !isLive(row, now())) return null;
      if (now() - (row.last_used_at?.getTime() ?? 0) > TOUCH_MS) {
        const used = { last_used_at: new Date(now()) };
        await db.updateTable('personal_tokens').set(used).where('credential_id', '=', row.credential_id).execute();
      }
      return {
        via: 'token',
        person: {
          id: row.id,
          name: row.name,
          email: row.email,
          role: row.role,
          setupPending: row.setup_pending,
          twoFactorEnabled: row.two_factor_enabled,
        },
        role: lowerRole(row.role, ROLE_OF[row.access]),
        expiresMs: row.expires_at?.getTime() ?? null,
        session: null,
      };
    },
    async add(transaction, { credentialId, fingerprint, userId, access }) {
      const row = { credential_id: credentialId, fingerprint, user_id: userId, access, last_used_at: null };
      await transaction.insertInto('personal_tokens').values(row).execute();
    },
    async access(credentialId, userId) {
      const row = await db
        .selectFrom('personal_tokens')
        .select('access')
        .where('credential_id', '=', credentialId)
        .where('user_id', '=', userId)
        .executeTakeFirst();
      return row?.access ?? null;
    },
    async lastUses() {
      const rows = await db
        .selectFrom('personal_tokens')
        .select(['credential_id', 'last_used_at'])
        .where('last_used_at', 'is not', null)
        .execute();
      return new Map(rows.map((row) => [row.credential_id, row.last_used_at!.getTime()]));
    },
    async list(userId) {
      const rows = await withCredentials()
        .select(['credentials.id', 'name', 'hint', 'access', 'created_at', 'expires_at', 'revoked_at', 'last_used_at'])
        .where('user_id', '=', userId)
        .orderBy('created_at', 'desc')
        .execute();
      // One line for a token, however many secrets of it there are.
      return [...new Map(rows.map((row) => [row.id, row])).values()].map((row) => ({
        id: row.id,
        name: row.name,
        hint: row.hint,
        access: row.access,
        created_at: row.created_at.toISOString(),
        expires_at: row.expires_at?.toISOString() ?? null,
        last_used_at: row.last_used_at?.toISOString() ?? null,
        status: statusAt(row, now()),
      }));
    },
  };
}
