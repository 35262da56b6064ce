import { isZone } from '#lib/format/time.ts';

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

/** How much room a row of a table takes. */
export const DENSITIES = ['comfortable', 'compact'] as const;
export type Density = (typeof DENSITIES)[number];

/** The side bar: with names, or icons only. */
export const SIDES = ['open', 'folded'] as const;
export type Side = (typeof SIDES)[number];

export const THEME_COOKIE = 'lanewatch_theme';
export const ZONE_COOKIE = 'lanewatch_zone';
export const DENSITY_COOKIE = 'lanewatch_density';
export const SIDE_COOKIE = 'lanewatch_side';
export const LEDGER_COLUMNS_COOKIE = 'lanewatch_ledger_columns';
export const PREFERENCE_MAX_AGE_S = 365 * 24 * 3600;

/** The theme a cookie names; anything else follows the system. */
export function themeOf(text: string | undefined): Theme {
  return THEMES.find((theme) => theme === text) ?? 'system';
}

/** The time zone a cookie names (an IANA name), or UTC. */
export function zoneOf(text: string | undefined): string {
  return text !== undefined && text !== '' && text.length <= 64 && isZone(text) ? text : 'UTC';
}

/** The density a cookie names, or the comfortable one. */
export function densityOf(text: string | undefined): Density {
  return DENSITIES.find((density) => density === text) ?? 'comfortable';
}

/** The form of the side bar that a cookie names, or the open one. */
export function sideOf(text: string | undefined): Side {
  return SIDES.find((side) => side === text) ?? 'open';
}

/** Names of columns as a cookie keeps them; which of them exist, the ledger's page knows. */
export function columnNamesOf(text: string): string {
  return text
    .split(/[\s.]+/)
    .filter((name) => /^[a-z_]{1,32}$/.test(name))
    .slice(0, 60)
    .join('.');
}

/** A path of this site to go back to; anything that could lead elsewhere becomes the landing page. */
export function localPath(text: string): string {
  return /^\/(?![/\\])[^\\\p{Cc}]*$/u.test(text) ? text : '/';
}
