import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Accounts, Session } from '../accounts/sessions.ts';
import { SESSION_COOKIE, UNATTENDED_HEADER } from '../../contract/index.ts';
import { ProblemError } from './problem.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set on every route under /v1 that needs one. */
    session: Session | null;
  }
  interface FastifyContextConfig {
    /** Readable without a session. */
    open?: boolean;
  }
}

/** Everything under /v1 needs a session unless its route says `open`. */
export function installSessionAuth(app: FastifyInstance, accounts: Accounts): void {
  app.decorateRequest('session', null);
  app.addHook('onRequest', async (request) => {
    if (!isProtected(request)) return;
    const isUse = request.headers[UNATTENDED_HEADER] !== '1';
    request.session = await accounts.session(request.cookies[SESSION_COOKIE] ?? '', { isUse });
    if (request.session === null) {
      throw new ProblemError('not_signed_in', 'Open the sign-in link that was printed at start, or ask for a new one.');
    }
  });
}

function isProtected(request: FastifyRequest): boolean {
  if (request.is404) return false;
  return (request.routeOptions.url ?? '').startsWith('/v1/') && request.routeOptions.config.open !== true;
}

/** The name of who asks, for records of who did what. */
export function actorOf(request: FastifyRequest): string {
  if (request.session === null) throw new Error('actorOf was used on a route without a session');
  return request.session.account.name;
}

/**
 * Sets the session cookie. No Domain: it belongs to this host, on every port, so that dashboard and query-api share it.
 * Lax: a link from elsewhere arrives signed in, a foreign page's POST does not. It lives as long as a session can; the
 * session itself may end earlier, when it is not used.
 */
export function setSessionCookie(reply: FastifyReply, token: string, maxSeconds: number, secure: boolean): void {
  reply.setCookie(SESSION_COOKIE, token, { httpOnly: true, sameSite: 'lax', path: '/', secure, maxAge: maxSeconds });
}
