import type { FastifyRequest } from 'fastify';
import { SESSION_COOKIE } from '../../contract/index.ts';
import type { Role } from '../../contract/index.ts';
import type { Config } from '../config.ts';
import type { RegistryDatabase } from '../registry/database.ts';
import { createAuth } from './auth.ts';
import type { Auth } from './auth.ts';
import type { PersonRecord, Principal } from './principal.ts';

/** The first admin until they say who they are: nobody's address, and none that mail could reach. */
const OPERATOR_EMAIL = 'operator@lanewatch.localhost';

export interface Accounts {
  auth: Auth;
  /** A new sign-in link's token for the first admin, who is made here when nobody is there yet. */
  createLink(): Promise<string>;
  /** Who the cookie of a session speaks for, or null. `isUse: false` looks without putting its end off. */
  session(cookie: string, options?: { isUse: boolean }): Promise<Principal | null>;
  /** A token with which its holder sets a password, once: an invitation, or a way back for who forgot it. */
  createPasswordToken(person: { id: string; email: string }): Promise<string>;
  /** Deletes what has ended. */
  prune(): Promise<void>;
}

/** People, sessions and one-time links. */
export function createAccounts(
  db: RegistryDatabase,
  config: Config,
  parts: { now: () => number; log: Parameters<typeof createAuth>[3] },
): Accounts {
  const passwordTokens = new Map<string, string>();
  const auth = createAuth(db, config, (userId, token) => void passwordTokens.set(userId, token), parts.log);

  /** The admin longest here whose account works. */
  async function firstAdmin(): Promise<string | null> {
    const admin = await db
      .selectFrom('users')
      .select('id')
      .where('role', '=', 'admin')
      .where('banned', '=', false)
      .orderBy('created_at')
      .orderBy('id')
      .executeTakeFirst();
    return admin?.id ?? null;
  }

  async function makeFirstAdmin(): Promise<string> {
    const made = await auth.api
      .createUser({
        body: {
          email: OPERATOR_EMAIL,
          name: 'Operator',
          role: 'admin',
          data: { setupPending: true, emailVerified: true },
        },
      })
      .catch(async (error: unknown) => {
        // Another replica was faster.
        const there = await firstAdmin();
        if (there === null) throw error;
        return { user: { id: there } };
      });
    return made.user.id;
  }

  return {
    auth,
    async createLink() {
      const userId = (await firstAdmin()) ?? (await makeFirstAdmin());
      return (await auth.api.createSignInLink({ body: { userId } })).token;
    },
    async session(cookie, { isUse } = { isUse: true }) {
      if (cookie === '') return null;
      const headers = new Headers({ cookie: `${SESSION_COOKIE}=${encodeURIComponent(cookie)}` });
      const found = await auth.api.getSession({ headers, query: { disableRefresh: !isUse } });
      if (found === null) return null;
      const { session, user } = found;
      const endMs = session.createdAt.getTime() + config.sessionMaxSeconds * 1000;
      if (user.banned === true || endMs <= parts.now()) return null;
      return {
        via: 'session',
        person: personOf(user),
        role: user.role as Role,
        expiresMs: Math.min(session.expiresAt.getTime(), endMs),
        session: { id: session.id, totpProvedMs: session.totpProvedAt?.getTime() ?? null },
      };
    },
    async createPasswordToken({ id, email }) {
      await auth.api.requestPasswordReset({ body: { email } });
      const token = passwordTokens.get(id);
      passwordTokens.delete(id);
      if (token === undefined) throw new Error('no token was made for the person');
      return token;
    },
    async prune() {
      const at = new Date(parts.now());
      await db.deleteFrom('sessions').where('expires_at', '<=', at).execute();
      await db.deleteFrom('verifications').where('expires_at', '<=', at).execute();
      await db.deleteFrom('attempts').where('expire', '<=', String(at.getTime())).execute();
    },
  };
}

function personOf(user: {
  id: string;
  name: string;
  email: string;
  role?: string | null | undefined;
  setupPending?: boolean | null | undefined;
  twoFactorEnabled?: boolean | null | undefined;
}): PersonRecord {
  return {
    id: user.id,
    name: user.name,
    email: user.email,
    role: user.role as Role,
    setupPending: user.setupPending === true,
    twoFactorEnabled: user.twoFactorEnabled === true,
  };
}

/** What the library reads of a request: its cookies, who sent it from where. */
export function authHeadersOf(request: FastifyRequest, dashboardUrl: string): Headers {
  const headers = new Headers({ 'x-forwarded-for': request.ip, origin: new URL(dashboardUrl).origin });
  for (const name of ['cookie', 'user-agent'] as const) {
    const value = request.headers[name];
    if (value !== undefined) headers.set(name, value);
  }
  return headers;
}
