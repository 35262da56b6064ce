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

export const load: LayoutServerLoad = ({ cookies, locals }) => ({
  theme: themeOf(cookies.get(THEME_COOKIE)),
  zone: zoneOf(cookies.get(ZONE_COOKIE)),
  density: densityOf(cookies.get(DENSITY_COOKIE)),
  side: sideOf(cookies.get(SIDE_COOKIE)),
  signedIn: locals.signedIn,
  /** The server's time: relative times come out the same in its markup and in the browser's first render. */
  nowMs: Date.now(),
});
