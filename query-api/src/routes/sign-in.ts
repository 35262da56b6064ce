import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import {
  meSchema,
  passwordSignInSchema,
  secondFactorSchema,
  SESSION_COOKIE,
  signInMethodsSchema,
  signInSchema,
  signInStepSchema,
} from '../../contract/index.ts';
import type { Me, SignInStep } from '../../contract/index.ts';
import { authHeadersOf } from '../accounts/accounts.ts';
import { recordAccountEvent } from '../accounts/audit.ts';
import { meOf, takesPasskeys } from '../accounts/me.ts';
import { nameOf } from '../accounts/principal.ts';
import { asProblem, signInRefused } from '../http/auth-problem.ts';
import { ProblemError } from '../http/problem.ts';
import { passCookies, sessionIn } from '../http/session-auth.ts';
import type { Services } from '../services/services.ts';

/** Names a device on which an account signed in before; signed, so that nobody makes one up. */
const DEVICE_COOKIE = 'lanewatch.device';
const DEVICE_MAX_AGE_S = 365 * 24 * 3600;

/** Passes the session that the library began on, and tells who it is. */
export async function signedIn(
  services: Services,
  reply: FastifyReply,
  headers: Headers,
  how: string,
  totpProved = false,
): Promise<Me> {
  const { accounts, config, database, now } = services;
  const principal = await accounts.session(sessionIn(headers), { isUse: false });
  if (principal === null) throw signInRefused();
  if (totpProved && principal.session !== null) await markStepUp(services, principal.session.id);
  passCookies(reply, headers, config.sessionMaxSeconds);
  await recordAccountEvent(database.db, {
    actor: nameOf(principal),
    action: 'account.signed_in',
    detail: how,
    nowMs: now(),
  });
  const session = principal.session && { ...principal.session, totpProvedMs: totpProved ? now() : null };
  return meOf(database.db, config, { ...principal, session }, now());
}

/** Writes down that a session proved a TOTP code now. */
export async function markStepUp({ database, now }: Services, sessionId: string): Promise<void> {
  const proved = { totp_proved_at: new Date(now()) };
  await database.db.updateTable('sessions').set(proved).where('id', '=', sessionId).execute();
}

/** A browser that a person steers asks for a page; scripts and link previews don't. */
function isBrowser(request: FastifyRequest): boolean {
  return (request.headers.accept ?? '').includes('text/html') || request.headers['sec-fetch-mode'] === 'navigate';
}

const accountOf = (email: string): string => createHash('sha256').update(email, 'utf8').digest('base64url');

/** Signing in and out. */
export function signInRoutes(services: Services): FastifyPluginAsyncZod {
  const { accounts, attempts, config, database } = services;
  const { auth } = accounts;

  async function byLink(request: FastifyRequest, reply: FastifyReply, token: string, usesUp: boolean): Promise<Me> {
    const headers = authHeadersOf(request, config.dashboardUrl);
    const begun = await auth.api
      .signInByLink({ headers, body: { token, usesUp }, returnHeaders: true })
      .catch(async (error: unknown) => {
        await attempts.miss(request.ip);
        throw asProblem(error);
      });
    return signedIn(services, reply, begun.headers, 'link');
  }

  /** The device that this account signed in on before; '' for any other. */
  function deviceOf(request: FastifyRequest, email: string): string {
    const { valid, value } = request.unsignCookie(request.cookies[DEVICE_COOKIE] ?? '');
    const [account, device] = valid ? value.split('.') : [];
    return account === accountOf(email) && device !== undefined ? device : '';
  }

  function knowDevice(reply: FastifyReply, email: string): void {
    reply.setCookie(DEVICE_COOKIE, `${accountOf(email)}.${randomBytes(16).toString('base64url')}`, {
      httpOnly: true,
      sameSite: 'lax',
      path: '/',
      secure: config.secureCookies,
      maxAge: DEVICE_MAX_AGE_S,
      signed: true,
    });
  }

  return async (app) => {
    app.post(
      '/v1/sign-in',
      {
        config: { open: true },
        schema: {
          tags: ['sign-in'],
          summary: 'Exchange a sign-in link for the session cookie; it uses the link up',
          body: signInSchema,
          response: { 200: meSchema },
        },
      },
      (request, reply) => byLink(request, reply, request.body.link, true),
    );

    app.get(
      '/sign-in',
      {
        // Nothing is to be had by a HEAD.
        exposeHeadRoute: false,
        config: { open: true },
        schema: {
          tags: ['sign-in'],
          summary: 'The same for a script with a cookie jar; a browser is sent to the dashboard’s page with its button',
          description:
            'A link preview asks like a script: so what asks here gets its session and leaves the link to others. It ends with its first use by POST /v1/sign-in, or after a day.',
          querystring: signInSchema,
          response: { 303: z.null().describe('To the dashboard.') },
        },
      },
      async (request, reply) => {
        const page = new URL('/sign-in', config.dashboardUrl);
        page.searchParams.set('link', request.query.link);
        if (isBrowser(request)) return reply.redirect(page.href, 303);
        await byLink(request, reply, request.query.link, false);
        return reply.redirect(config.dashboardUrl, 303);
      },
    );

    app.get(
      '/v1/sign-in/methods',
      {
        config: { open: true },
        schema: {
          tags: ['sign-in'],
          summary: 'What the sign-in page offers',
          response: { 200: signInMethodsSchema },
        },
      },
      async () => {
        const password = await database.db
          .selectFrom('user_accounts')
          .select('id')
          .where('provider_id', '=', 'credential')
          .limit(1)
          .executeTakeFirst();
        return {
          password: password !== undefined,
          passkeys: takesPasskeys(config.dashboardUrl),
          oidc: config.oidc && { name: config.oidc.name },
        };
      },
    );

    app.post(
      '/v1/sign-in/password',
      {
        config: { open: true },
        schema: {
          tags: ['sign-in'],
          summary: 'Sign in by e-mail and password',
          description: 'Whatever is wrong, the answer is the same 401: nobody learns here who has an account.',
          body: passwordSignInSchema,
          response: { 200: signInStepSchema },
        },
      },
      async (request, reply): Promise<SignInStep> => {
        const { email, password } = request.body;
        const headers = authHeadersOf(request, config.dashboardUrl);
        const attempt = { ip: request.ip, email, device: deviceOf(request, email) };
        const begun = await attempts.signIn(attempt, () =>
          auth.api.signInEmail({ headers, body: { email, password }, returnHeaders: true }).catch((error: unknown) => {
            throw asProblem(error);
          }),
        );
        knowDevice(reply, email);
        if (sessionIn(begun.headers) === '') {
          passCookies(reply, begun.headers, config.sessionMaxSeconds);
          return { status: 'second_factor_needed' };
        }
        return { status: 'signed_in', me: await signedIn(services, reply, begun.headers, 'password') };
      },
    );

    app.post(
      '/v1/sign-in/second-factor',
      {
        config: { open: true },
        schema: {
          tags: ['sign-in'],
          summary: 'The second step: a TOTP code, or one of the recovery codes',
          description: 'Takes the cookie that the first step set. Five wrong codes end the attempt.',
          body: secondFactorSchema,
          response: { 200: signInStepSchema },
        },
      },
      async (request, reply): Promise<SignInStep> => {
        const { code, kind } = request.body;
        // A session that is there already would be proved instead of begun.
        const headers = withoutSession(authHeadersOf(request, config.dashboardUrl));
        const given = { headers, body: { code }, returnHeaders: true } as const;
        const verify = kind === 'totp' ? () => auth.api.verifyTOTP(given) : () => auth.api.verifyBackupCode(given);
        const begun = await verify().catch((error: unknown) => {
          throw asSecondFactorProblem(error);
        });
        return {
          status: 'signed_in',
          me: await signedIn(services, reply, begun.headers, `password and ${kind}`, kind === 'totp'),
        };
      },
    );

    app.post(
      '/v1/sign-out',
      {
        config: { can: 'own_account', sessionOnly: true },
        schema: {
          tags: ['sign-in'],
          summary: 'End this session',
          body: z.object({}).nullish(),
          response: { 204: z.null() },
        },
      },
      async (request, reply) => {
        const { headers } = await auth.api.signOut({
          headers: authHeadersOf(request, config.dashboardUrl),
          returnHeaders: true,
        });
        passCookies(reply, headers, config.sessionMaxSeconds);
        return reply.status(204).send(null);
      },
    );
  };
}

function withoutSession(headers: Headers): Headers {
  const cookies = (headers.get('cookie') ?? '').split(/;\s*/).filter((pair) => !pair.startsWith(`${SESSION_COOKIE}=`));
  headers.set('cookie', cookies.join('; '));
  return headers;
}

/** An attempt that ended is begun again with the password; a wrong code is tried again. */
function asSecondFactorProblem(error: unknown): unknown {
  const problem = asProblem(error);
  if (problem instanceof ProblemError) return problem;
  return new ProblemError('sign_in_refused', 'This attempt has ended. Begin again with e-mail and password.');
}
