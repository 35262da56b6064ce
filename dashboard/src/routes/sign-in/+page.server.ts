import { error, redirect } from '@sveltejs/kit';
import { SESSION_COOKIE } from '@lanewatch/query-api/contract';
import type { PageServerLoad } from './$types';

/** A browser keeps no cookie longer than 400 days; a session of query-api ends far earlier. */
const SESSION_MAX_AGE_S = 400 * 24 * 3600;

/**
 * With a link: exchanges it for a session and goes to the landing page. Without one: says how to get one.
 * A HEAD request (link previews, scanners) must not use the link up.
 */
export const load: PageServerLoad = async ({ url, locals, cookies, request }) => {
  const link = url.searchParams.get('link');
  if (link === null || link === '' || request.method === 'HEAD') {
    return { expired: url.searchParams.get('reason') === 'expired' };
  }
  const response = await locals.api.signIn(link);
  if (response.status === 429) {
    error(429, 'Too many sign-in links were tried here, and this one can’t be used. Wait a minute before the next.');
  }
  if (response.status >= 500) error(502, 'query-api can’t sign anybody in right now. Its log says why.');
  const session = response.ok
    ? response.headers
        .getSetCookie()
        .map((header) => cookies.parse(header))
        .find((cookie) => cookie.name === SESSION_COOKIE)
    : undefined;
  if (!session?.value) error(401, 'This sign-in link is wrong, was used already, or is too old.');
  cookies.set(SESSION_COOKIE, session.value, {
    path: '/',
    httpOnly: true,
    sameSite: 'lax',
    secure: request.headers.get('x-forwarded-proto') === 'https',
    maxAge: Math.min(session.maxAge ?? SESSION_MAX_AGE_S, SESSION_MAX_AGE_S),
  });
  redirect(303, '/');
};
