import { createHash, randomBytes } from 'node:crypto';
import type { BetterAuthPlugin } from 'better-auth';
import { APIError, createAuthEndpoint } from 'better-auth/api';
import { setSessionCookie } from 'better-auth/cookies';
import { z } from 'zod';

const LINK_TTL_MS = 24 * 3_600_000;
const TOKEN = /^[A-Za-z0-9_-]{43}$/;
const identifierOf = (token: string): string =>
  `sign-in-link:${createHash('sha256').update(token, 'utf8').digest('hex')}`;

/**
 * Sign-in links, as a plugin of better-auth: it keeps the token among its verifications, by hash, and makes the session.
 * A link belongs to whoever holds the machine's terminal, so it asks for no second factor.
 */
export function linkSignIn() {
  return {
    id: 'lanewatch-link',
    endpoints: {
      /** A new link's token for a person, valid 24 hours. */
      createSignInLink: createAuthEndpoint.serverOnly(
        { method: 'POST', body: z.object({ userId: z.string() }) },
        async (ctx) => {
          const token = randomBytes(32).toString('base64url');
          await ctx.context.internalAdapter.createVerificationValue({
            identifier: identifierOf(token),
            value: ctx.body.userId,
            expiresAt: new Date(Date.now() + LINK_TTL_MS),
          });
          return { token };
        },
      ),
      /**
       * A session for a link. `usesUp: true` ends the link, and of two at once only one succeeds; else it stays for others until
       * it is too old.
       */
      signInByLink: createAuthEndpoint.serverOnly(
        { method: 'POST', requireHeaders: true, body: z.object({ token: z.string(), usesUp: z.boolean() }) },
        async (ctx) => {
          const { internalAdapter } = ctx.context;
          const { token, usesUp } = ctx.body;
          const invalid = new APIError('UNAUTHORIZED', { code: 'LINK_INVALID' });
          if (!TOKEN.test(token)) throw invalid;
          const identifier = identifierOf(token);
          const link = await internalAdapter.findVerificationValue(identifier);
          if (!link || link.expiresAt <= new Date()) throw invalid;
          if (usesUp && !(await internalAdapter.consumeVerificationValue(identifier))) throw invalid;
          const user = await internalAdapter.findUserById(link.value);
          if (!user) throw invalid;
          const session = await internalAdapter.createSession(user.id);
          await setSessionCookie(ctx, { session, user });
          return { userId: user.id };
        },
      ),
    },
  } satisfies BetterAuthPlugin;
}
