import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { parseSetCookie } from './set-cookie.ts';
import type { Accounts } from '../accounts/accounts.ts';
import { nameOf, principalMay } from '../accounts/principal.ts';
import type { Principal } from '../accounts/principal.ts';
import type { PersonalTokens } from '../accounts/tokens.ts';
import { SESSION_COOKIE, STEP_UP_MINUTES, UNATTENDED_HEADER } from '../../contract/index.ts';
import type { Permission } from '../../contract/index.ts';
import { ProblemError } from './problem.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; set on every route under /v1 that is not open. */
    principal: Principal | null;
  }
  interface FastifyContextConfig {
    /** Answers without being signed in. */
    open?: boolean;
    /** What whoever asks must be allowed to do. Without it: `read` to read, and all that an admin may to change. */
    can?: Permission;
    /** Only for a session: what concerns the account itself is no work for a token. */
    sessionOnly?: boolean;
  }
}

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Everything under /v1 needs a session or a personal API token, and a role that may do it, unless its route says `open`. */
export function installSessionAuth(app: FastifyInstance, accounts: Accounts, tokens: PersonalTokens): void {
  app.decorateRequest('principal', null);
  app.addHook('onRequest', async (request) => {
    if (!isProtected(request)) return;
    const principal = await identify(request, accounts, tokens);
    request.principal = principal;
    const { sessionOnly } = request.routeOptions.config;
    if (sessionOnly === true && principal.via !== 'session') {
      throw new ProblemError('not_allowed', 'This concerns the account itself and takes a session, not a token.');
    }
    if (principalMay(principal, permissionOf(request))) return;
    throw new ProblemError('not_allowed', `The role ${principal.role} may not do this. Nothing was changed.`);
  });
}

/** The permission a route asks for. */
function permissionOf(request: FastifyRequest): Permission {
  return request.routeOptions.config.can ?? (SAFE_METHODS.has(request.method) ? 'read' : 'people.manage');
}

async function identify(request: FastifyRequest, accounts: Accounts, tokens: PersonalTokens): Promise<Principal> {
  const bearer = bearerOf(request);
  if (bearer !== null) {
    const principal = await tokens.principal(bearer);
    if (principal !== null) return principal;
    throw new ProblemError('not_signed_in', 'The bearer is no personal API token that works here now.', [], {
      'www-authenticate': 'Bearer',
    });
  }
  const isUse = request.headers[UNATTENDED_HEADER] !== '1';
  const principal = await accounts.session(request.cookies[SESSION_COOKIE] ?? '', { isUse });
  if (principal !== null) return principal;
  throw new ProblemError('not_signed_in', 'Sign in on the dashboard, or send a personal API token as bearer.');
}

/** What a request names as bearer: '' for none that can be read, null when it has no Authorization at all. */
export function bearerOf({ headers: { authorization } }: FastifyRequest): string | null {
  return authorization === undefined ? null : (/^Bearer (\S{1,200})$/i.exec(authorization)?.[1] ?? '');
}

function isProtected(request: FastifyRequest): boolean {
  if (request.is404) return false;
  return (request.routeOptions.url ?? '').startsWith('/v1/') && request.routeOptions.config.open !== true;
}

/** Who asks, on a route that is not open. */
export function principalOf(request: FastifyRequest): Principal {
  if (request.principal === null) throw new Error('principalOf was used on an open route');
  return request.principal;
}

/** The name of who asks, for records of who did what. */
export function actorOf(request: FastifyRequest): string {
  return nameOf(principalOf(request));
}

/** When the TOTP proof of a principal's session stops counting, epoch milliseconds; null without one that counts now. */
export function stepUpEndMs(principal: Principal, nowMs: number): number | null {
  const provedMs = principal.session?.totpProvedMs ?? null;
  if (provedMs === null) return null;
  const endMs = provedMs + STEP_UP_MINUTES * 60_000;
  return endMs > nowMs ? endMs : null;
}

/**
 * Lets through who proved a TOTP code within the last 15 minutes, by the session that asks. For what grants power that a stolen
 * session must not have: scopes `execute` and `admin`.
 * @throws {ProblemError} `step_up_needed`
 */
export function requireStepUp(request: FastifyRequest, nowMs: number): void {
  const principal = principalOf(request);
  if (stepUpEndMs(principal, nowMs) !== null) return;
  throw new ProblemError(
    'step_up_needed',
    principal.via === 'token'
      ? 'A token can’t prove a TOTP code: do this on the dashboard.'
      : principal.person.twoFactorEnabled
        ? `It needs a code of your authenticator, which counts for ${STEP_UP_MINUTES} minutes (POST /v1/me/step-up). Nothing was changed.`
        : 'It needs a TOTP code, and your account has no authenticator yet: set one up under Account. Nothing was changed.',
  );
}

/**
 * Passes on the cookies that the library sets. That of the session has no Domain: it belongs to this host, on every port, so that
 * dashboard and query-api share it. It lives as long as a session can; the session itself may end earlier, when it is not used.
 */
export function passCookies(reply: FastifyReply, headers: Headers, sessionMaxSeconds: number): void {
  for (const line of headers.getSetCookie()) {
    const isSession = line.startsWith(`${SESSION_COOKIE}=`) && !/; Max-Age=0(;|$)/i.test(line);
    reply.header(
      'set-cookie',
      isSession ? line.replace(/; Max-Age=\d+/i, `; Max-Age=${Math.floor(sessionMaxSeconds)}`) : line,
    );
  }
}

/** The session that the library begins in an answer; '' when it begins none. */
export function sessionIn(headers: Headers): string {
  const cookie = headers
    .getSetCookie()
    .map(parseSetCookie)
    .find(({ name }) => name === SESSION_COOKIE);
  return cookie?.value ?? '';
}
