import rateLimit from '@fastify/rate-limit';
import { z } from 'zod';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { meSchema, SESSION_COOKIE, signInSchema } from '../../contract/index.ts';
import type { Me } from '../../contract/index.ts';
import type { Session } from '../accounts/sessions.ts';
import { ProblemError } from '../http/problem.ts';
import { setSessionCookie } from '../http/session-auth.ts';
import type { Services } from '../services/services.ts';
import { instantOf } from '../ledger/window.ts';

/**
 * Links that are none, per address and minute; a token has 256 bits, so this only keeps the log readable: what is refused by it is
 * logged for debugging only. Links that work are not
 * counted: everybody who signs in by the dashboard comes from its one address, and nobody may shut out the others by guessing.
 */
const MISSES_PER_MINUTE = 20;

function meOf(session: Session): Me {
  return { name: session.account.name, session_expires_at: instantOf(session.expiresMs) };
}

/** Signing in and out. */
export function accountRoutes({ accounts, config }: Services): FastifyPluginAsyncZod {
  async function signIn(link: string, reply: FastifyReply, countMiss: () => Promise<boolean>): Promise<Session> {
    const redeemed = await accounts.redeemLink(link);
    if (redeemed === null) {
      if (await countMiss()) {
        throw new ProblemError('too_many_requests', 'Too many links that are none. Wait a minute.', [], {
          'retry-after': '60',
        });
      }
      throw new ProblemError(
        'link_invalid',
        'It was used before, is older than a day, or is no sign-in link. Start Lanewatch again to get a new one.',
      );
    }
    setSessionCookie(reply, redeemed.token, Math.floor(config.sessionMaxSeconds), config.secureCookies);
    return redeemed.session;
  }

  return async (app) => {
    await app.register(rateLimit, { global: false });
    const limit = app.createRateLimit({ max: MISSES_PER_MINUTE, timeWindow: '1 minute' });
    const countMiss = async (request: FastifyRequest): Promise<boolean> => {
      const counted = await limit(request);
      return !counted.isAllowed && counted.isExceeded;
    };

    app.post(
      '/v1/sign-in',
      {
        config: { open: true },
        schema: {
          tags: ['account'],
          summary: 'Exchange a one-time sign-in link for the session cookie',
          body: signInSchema,
          response: { 200: meSchema },
        },
      },
      async (request, reply) => meOf(await signIn(request.body.link, reply, () => countMiss(request))),
    );

    app.get(
      '/sign-in',
      {
        // A link preview's HEAD must not use the link up.
        exposeHeadRoute: false,
        config: { open: true },
        schema: {
          tags: ['account'],
          summary: 'The same for a browser: sets the cookie and goes to the dashboard',
          querystring: signInSchema,
          response: { 303: z.null().describe('To the dashboard.') },
        },
      },
      async (request, reply) => {
        await signIn(request.query.link, reply, () => countMiss(request));
        return reply.redirect(config.dashboardUrl, 303);
      },
    );

    app.get(
      '/v1/me',
      { schema: { tags: ['account'], summary: 'Who is signed in', response: { 200: meSchema } } },
      async (request) => meOf(request.session as Session),
    );

    app.post(
      '/v1/sign-out',
      {
        schema: {
          tags: ['account'],
          summary: 'End this session',
          body: z.object({}).nullish(),
          response: { 204: z.null() },
        },
      },
      async (request, reply) => {
        await accounts.signOut(request.cookies[SESSION_COOKIE] ?? '');
        reply.clearCookie(SESSION_COOKIE, { path: '/' });
        return reply.status(204).send(null);
      },
    );
  };
}
