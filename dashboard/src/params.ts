import { defineParams } from '@sveltejs/kit/params';
import { ENTITY_PATHS } from '#lib/links.ts';

const PATHS = new Set(Object.values(ENTITY_PATHS));

export const params = defineParams({
  /** The first part of the address of a kind's pages, such as `users`. */
  entity: (segment) => (PATHS.has(`/${segment}`) ? segment : undefined),
  /** A value, but not the empty one. */
  named: (segment) => (segment === '~' ? undefined : segment),
});
