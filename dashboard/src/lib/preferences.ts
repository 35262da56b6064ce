import { isZone } from '#lib/format/time.ts';

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

export const THEME_COOKIE = 'lanewatch_theme';
export const ZONE_COOKIE = 'lanewatch_zone';
export const PREFERENCE_MAX_AGE_S = 365 * 24 * 3600;

/** The theme a cookie names; anything else follows the system. */
export function themeOf(text: string | undefined): Theme {
  return THEMES.find((theme) => theme === text) ?? 'system';
}

/** The time zone a cookie names (an IANA name), or UTC. */
export function zoneOf(text: string | undefined): string {
  return text !== undefined && text !== '' && text.length <= 64 && isZone(text) ? text : 'UTC';
}

/** A path of this site to go back to; anything that could lead elsewhere becomes the landing page. */
export function localPath(text: string): string {
  return /^\/(?![/\\])[^\\\p{Cc}]*$/u.test(text) ? text : '/';
}
