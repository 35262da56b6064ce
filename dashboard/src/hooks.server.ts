import { QUERY_API_URL } from '$app/env/private';
import { redirect } from '@sveltejs/kit';
import { sequence, type Handle, type HandleServerError } from '@sveltejs/kit/hooks';
import { SESSION_COOKIE } from '@lanewatch/query-api/contract';
import { callerOf } from '#lib/api/caller.ts';
import { createApi } from '#lib/api/client.ts';
import { isOpen } from '#lib/open-routes.ts';
import { compressed } from '#lib/compress.ts';
import { isForeignWrite, withSecurityHeaders } from '#lib/security.ts';
import { UNATTENDED_COOKIE } from '#lib/unattended.ts';
import { DENSITY_COOKIE, THEME_COOKIE, densityOf, themeOf } from '#lib/preferences.ts';

const refuseForeignWrites: Handle = ({ event, resolve }) =>
  isForeignWrite(event.request, event.url)
    ? new Response('This form was sent from another site and was refused.', { status: 403 })
    : resolve(event);

const identify: Handle = ({ event, resolve }) => {
  const session = event.cookies.get(SESSION_COOKIE) ?? '';
  event.locals.signedIn = session !== '';
  const unattended = event.route.id === '/live' || event.cookies.get(UNATTENDED_COOKIE) === '1';
  event.locals.api = createApi(QUERY_API_URL, callerOf(event, unattended));
  if (session === '' && event.route.id !== null && !isOpen(event.route.id)) redirect(303, '/sign-in');
  return resolve(event);
};

/** Faces that every page needs at once; those of other scripts load when text asks for them. */
const isFirstFace = (path: string) => /(inter|jetbrains-mono)-latin-wght-normal/.test(path);

const dress: Handle = async ({ event, resolve }) => {
  const theme = themeOf(event.cookies.get(THEME_COOKIE));
  const density = densityOf(event.cookies.get(DENSITY_COOKIE));
  const response = await resolve(event, {
    transformPageChunk: ({ html }) => html.replace('%lanewatch.theme%', theme).replace('%lanewatch.density%', density),
    preload: ({ type, path }) => (type === 'font' ? isFirstFace(path) : type === 'js' || type === 'css'),
  });
  return compressed(event.request, withSecurityHeaders(response));
};

export const handle = sequence(dress, refuseForeignWrites, identify);

/** Faults are logged with their stack and shown without it. */
export const handleError: HandleServerError = ({ kind, error, event }) => {
  if (kind !== 'unknown') return;
  console.error(`${event.request.method} ${event.url.pathname}:`, error);
  return { message: 'Something went wrong in the dashboard. Its log says what.' };
};
