import { redirect } from '@sveltejs/kit';
import {
  DENSITY_COOKIE,
  PREFERENCE_MAX_AGE_S,
  SIDE_COOKIE,
  THEME_COOKIE,
  ZONE_COOKIE,
  densityOf,
  localPath,
  sideOf,
  themeOf,
  zoneOf,
} from '#lib/preferences.ts';
import type { Actions, PageServerLoad } from './$types';

/** The address exists for its form only. */
export const load: PageServerLoad = () => redirect(303, '/');

/** What the form may hold: the cookie that keeps it, and how its value is read. */
const KEPT = [
  { field: 'theme', cookie: THEME_COOKIE, read: themeOf },
  { field: 'zone', cookie: ZONE_COOKIE, read: zoneOf },
  { field: 'density', cookie: DENSITY_COOKIE, read: densityOf },
  { field: 'side', cookie: SIDE_COOKIE, read: sideOf },
];

export const actions: Actions = {
  /** Remembers how this browser wants pages shown. */
  default: async ({ request, cookies }) => {
    const form = await request.formData();
    const kept = { path: '/', sameSite: 'lax', secure: false, httpOnly: true, maxAge: PREFERENCE_MAX_AGE_S } as const;
    for (const { field, cookie, read } of KEPT) {
      const value = form.get(field);
      if (typeof value === 'string') cookies.set(cookie, read(value), kept);
    }
    redirect(303, localPath(String(form.get('return_to') ?? '/')));
  },
};
