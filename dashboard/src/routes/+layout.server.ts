import { error, isRedirect } from '@sveltejs/kit';
import { may, type Permission, type Role } from '@lanewatch/query-api/contract';
import type { Api } from '#lib/api/client.ts';
import { isOpen } from '#lib/open-routes.ts';
import {
  DENSITY_COOKIE,
  SIDE_COOKIE,
  THEME_COOKIE,
  ZONE_COOKIE,
  densityOf,
  sideOf,
  themeOf,
  zoneOf,
} from '#lib/preferences.ts';
import type { LayoutServerLoad } from './$types';

/** Role of who is signed in. Unknown while query-api does not answer: then the page itself says so, and offers no buttons. */
async function roleOf(api: Api): Promise<Role | null> {
  try {
    return (await api.me()).role;
  } catch (cause) {
    if (isRedirect(cause)) throw cause;
    return null;
  }
}

/** Pages that are there for one thing, and who may do it. */
const PAGE_PERMISSIONS: Record<string, Permission> = {
  '/people': 'people.manage',
  '/audit': 'audit.read',
  '/exports': 'query',
  '/evidence/[id]': 'query',
  '/credentials/create': 'credentials.write',
  '/credentials/import': 'credentials.write',
  '/credentials/[id]/edit': 'credentials.write',
  '/credentials/[id]/rotate': 'credentials.write',
  '/credentials/[id]/regenerate': 'credentials.write',
  '/sql': 'query',
  '/credentials/new': 'credentials.write',
  '/credentials/[id]/revoke': 'credentials.revoke',
  '/collectors/dead-letters/[id]': 'dead_letters.replay',
};

/** The role, where the page is for it. */
async function roleOn(route: string | null, api: Api): Promise<Role | null> {
  const role = await roleOf(api);
  const needed = PAGE_PERMISSIONS[route ?? ''];
  if (role !== null && needed !== undefined && !may(role, needed)) {
    error(403, `The role ${role} has no use of this page. An admin gives roles under People.`);
  }
  return role;
}

export const load: LayoutServerLoad = async ({ cookies, locals, route }) => ({
  theme: themeOf(cookies.get(THEME_COOKIE)),
  zone: zoneOf(cookies.get(ZONE_COOKIE)),
  density: densityOf(cookies.get(DENSITY_COOKIE)),
  side: sideOf(cookies.get(SIDE_COOKIE)),
  signedIn: locals.signedIn,
  role: locals.signedIn && !isOpen(route.id) ? await roleOn(route.id, locals.api) : null,
  /** The server's time: relative times come out the same in its markup and in the browser's first render. */
  nowMs: Date.now(),
});
