import { createHash, randomBytes } from 'node:crypto';
import type { RegistryDatabase } from '../registry/database.ts';

/** Who is signed in. For now there is one account: whoever holds the link printed at start. */
export interface Account {
  name: string;
}

export interface Session {
  account: Account;
  expiresMs: number;
}

const LINK_TTL_MS = 24 * 3_600_000;
const TOKEN_BYTES = 32;
const TOKEN = /^[A-Za-z0-9_-]{43}$/;
/** How often a session's last use is written: once a minute keeps reads free of writes. */
const TOUCH_MS = 60_000;
const OPERATOR = 'operator';

const hashOf = (token: string): string => createHash('sha256').update(token, 'utf8').digest('hex');
const createToken = (): string => randomBytes(TOKEN_BYTES).toString('base64url');

export interface Accounts {
  /** A new one-time token for a sign-in link, valid 24 hours. */
  createLink(): Promise<string>;
  /** Exchanges a link's token for a session token; null when it is unknown, used or too old. */
  redeemLink(token: string): Promise<{ token: string; session: Session } | null>;
  /** The session of a token, or null. `isUse: false` looks without putting its end off. */
  session(token: string, options?: { isUse: boolean }): Promise<Session | null>;
  signOut(token: string): Promise<void>;
  /** Deletes what has ended. */
  prune(): Promise<void>;
}

/** Sessions and one-time links, kept as hashes: a copy of the tables signs nobody in. */
export function createAccounts(
  db: RegistryDatabase,
  options: { idleSeconds: number; maxSeconds: number; now: () => number },
): Accounts {
  const { idleSeconds, maxSeconds, now } = options;

  const endOf = (createdMs: number, usedMs: number): number =>
    Math.min(createdMs + maxSeconds * 1000, usedMs + idleSeconds * 1000);

  return {
    async createLink() {
      const token = createToken();
      await db
        .insertInto('sign_in_links')
        .values({
          token_hash: hashOf(token),
          created_at: new Date(now()),
          expires_at: new Date(now() + LINK_TTL_MS),
          used_at: null,
        })
        .execute();
      return token;
    },
    async redeemLink(linkToken) {
      if (!TOKEN.test(linkToken)) return null;
      // Whoever guesses costs one read and no transaction.
      const there = await db
        .selectFrom('sign_in_links')
        .select('token_hash')
        .where('token_hash', '=', hashOf(linkToken))
        .where('used_at', 'is', null)
        .executeTakeFirst();
      if (there === undefined) return null;
      return db.transaction().execute(async (transaction) => {
        // One statement decides, so that of two redemptions at once only one succeeds.
        const used = await transaction
          .updateTable('sign_in_links')
          .set({ used_at: new Date(now()) })
          .where('token_hash', '=', hashOf(linkToken))
          .where('used_at', 'is', null)
          .where('expires_at', '>', new Date(now()))
          .returning('token_hash')
          .executeTakeFirst();
        if (used === undefined) return null;
        const token = createToken();
        const at = new Date(now());
        const expiresMs = endOf(now(), now());
        await transaction
          .insertInto('sessions')
          .values({
            token_hash: hashOf(token),
            account: OPERATOR,
            created_at: at,
            last_used_at: at,
            expires_at: new Date(expiresMs),
          })
          .execute();
        return { token, session: { account: { name: OPERATOR }, expiresMs } };
      });
    },
    async session(token, { isUse } = { isUse: true }) {
      if (!TOKEN.test(token)) return null;
      const row = await db
        .selectFrom('sessions')
        .selectAll()
        .where('token_hash', '=', hashOf(token))
        .where('expires_at', '>', new Date(now()))
        .executeTakeFirst();
      if (row === undefined) return null;
      let expiresMs = row.expires_at.getTime();
      if (isUse && now() - row.last_used_at.getTime() > TOUCH_MS) {
        expiresMs = endOf(row.created_at.getTime(), now());
        await db
          .updateTable('sessions')
          .set({ last_used_at: new Date(now()), expires_at: new Date(expiresMs) })
          .where('token_hash', '=', row.token_hash)
          .execute();
      }
      return { account: { name: row.account }, expiresMs };
    },
    async signOut(token) {
      await db.deleteFrom('sessions').where('token_hash', '=', hashOf(token)).execute();
    },
    async prune() {
      const at = new Date(now());
      await db.deleteFrom('sessions').where('expires_at', '<=', at).execute();
      await db.deleteFrom('sign_in_links').where('expires_at', '<=', at).execute();
    },
  };
}
