import { defineParams } from '@sveltejs/kit/params';
import { DIRECTORIES } from '#lib/directories.ts';
import { ENTITY_PATHS } from '#lib/links.ts';

const PATHS = new Set(Object.values(ENTITY_PATHS));

export const params = defineParams({
  /** The first part of the address of a kind's pages, such as `users`. */
  entity: (segment) => (PATHS.has(`/${segment}`) ? segment : undefined),
  /** What keys belong to, as the settings' pages are called. */
  directory: (segment) => (DIRECTORIES.some(({ path }) => path === segment) ? segment : undefined),
  /** A value, but not the empty one. */
  named: (segment) => (segment === '~' ? undefined : segment),
});
