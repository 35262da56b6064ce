import { redirect } from '@sveltejs/kit';
import {
  DENSITY_COOKIE,
  LEDGER_COLUMNS_COOKIE,
  PREFERENCE_MAX_AGE_S,
  SIDE_COOKIE,
  THEME_COOKIE,
  ZONE_COOKIE,
  columnNamesOf,
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
  { field: 'ledger_columns', cookie: LEDGER_COLUMNS_COOKIE, read: columnNamesOf },
];

export const actions: Actions = {
  /** Remembers how this browser wants pages shown. */
  default: async ({ request, cookies }) => {
    const form = await request.formData();
    const kept = { path: '/', sameSite: 'lax', secure: false, httpOnly: true, maxAge: PREFERENCE_MAX_AGE_S } as const;
    for (const { field, cookie, read } of KEPT) {
      // Boxes of one name send each of theirs.
      const values = form.getAll(field).filter((value) => typeof value === 'string');
      if (values.length > 0) cookies.set(cookie, read(values.join('.')), kept);
    }
    redirect(303, localPath(String(form.get('return_to') ?? '/')));
  },
};
