import { ACCOUNT_COOKIE_PREFIX, SESSION_COOKIE } from '@lanewatch/query-api/contract';
import type { RequestEvent } from '@sveltejs/kit';
import type { Caller } from './client.ts';

/** A browser keeps no cookie longer than 400 days; a session of query-api ends far earlier. */
const COOKIE_MAX_AGE_S = 400 * 24 * 3600;

const isQueryApis = (name: string) => name === SESSION_COOKIE || name.startsWith(ACCOUNT_COOKIE_PREFIX);

/**
 * A visitor, as query-api is to see them: only this process talks to it, so their cookies and address are handed on, and what it sets
 * is set here, for this host.
 */
export function callerOf({ cookies, request, getClientAddress }: RequestEvent, unattended: boolean): Caller {
  return {
    address: getClientAddress(),
    userAgent: request.headers.get('user-agent') ?? '',
    // As they are now: a form's action may have been given another session than the page is read with after it.
    cookies: () =>
      cookies
        .getAll()
        .filter(({ name }) => isQueryApis(name))
        .map(({ name, value }) => `${name}=${encodeURIComponent(value)}`)
        .join('; '),
    unattended,
    keep(lines) {
      for (const line of lines) {
        const { name, value = '', maxAge } = cookies.parse(line);
        if (!isQueryApis(name)) continue;
        const attributes = {
          path: '/',
          httpOnly: true,
          sameSite: 'lax',
          secure: request.headers.get('x-forwarded-proto') === 'https',
        } as const;
        if (value === '' || maxAge === 0) cookies.delete(name, attributes);
        else
          cookies.set(name, value, { ...attributes, maxAge: Math.min(maxAge ?? COOKIE_MAX_AGE_S, COOKIE_MAX_AGE_S) });
      }
    },
  };
}
