import { redirect } from '@sveltejs/kit';
import { PREFERENCE_MAX_AGE_S, THEME_COOKIE, ZONE_COOKIE, localPath, themeOf, zoneOf } from '#lib/preferences.ts';
import type { Actions, PageServerLoad } from './$types';

/** The address exists for its form only. */
export const load: PageServerLoad = () => redirect(303, '/');

export const actions: Actions = {
  /** Remembers how this browser wants pages shown. */
  default: async ({ request, cookies }) => {
    const form = await request.formData();
    const kept = { path: '/', sameSite: 'lax', secure: false, httpOnly: true, maxAge: PREFERENCE_MAX_AGE_S } as const;
    const theme = form.get('theme');
    const zone = form.get('zone');
    if (typeof theme === 'string') cookies.set(THEME_COOKIE, themeOf(theme), kept);
    if (typeof zone === 'string') cookies.set(ZONE_COOKIE, zoneOf(zone), kept);
    redirect(303, localPath(String(form.get('return_to') ?? '/')));
  },
};
