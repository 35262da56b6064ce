import { ENTITY_WORDS } from '#lib/entity-kinds.ts';
import { ENTITY_PATHS } from '#lib/links.ts';
import type { IconName } from '#lib/ui/Icon.svelte';

/** A page that the side bar and the command palette lead to. */
export interface Place {
  href: string;
  name: string;
  icon: IconName;
  /** Routes that belong to it: itself and those below. */
  routes: readonly string[];
}

/** The side bar's groups in their order. What is not built has no place here. */
export const PLACE_GROUPS: readonly { name: string; places: readonly Place[] }[] = [
  {
    name: 'Inventory',
    places: [
      { href: '/', name: 'API keys', icon: 'keys', routes: ['/', '/keys', '/lanes'] },
      ...(['session', 'user', 'endpoint', 'agent', 'repo', 'model'] as const).map((kind) => {
        const { plural: name, icon } = ENTITY_WORDS[kind];
        return { href: ENTITY_PATHS[kind], name, icon, routes: [ENTITY_PATHS[kind]] };
      }),
    ],
  },
  {
    name: 'Respond',
    places: [
      { href: '/findings', name: 'Findings', icon: 'findings', routes: ['/findings'] },
      { href: '/credentials', name: 'Registry', icon: 'registry', routes: ['/credentials'] },
      { href: '/imports', name: 'Imports', icon: 'registry', routes: ['/imports'] },
      { href: '/settings/projects', name: 'Projects and teams', icon: 'organizations', routes: ['/settings'] },
      { href: '/rules', name: 'Rules', icon: 'rules', routes: ['/rules'] },
      { href: '/policies', name: 'Policies', icon: 'policies', routes: ['/policies', '/collect'] },
    ],
  },
  {
    name: 'Analyse and operate',
    places: [
      { href: '/sql', name: 'SQL', icon: 'sql', routes: ['/sql'] },
      { href: '/spend', name: 'Spend', icon: 'spend', routes: ['/spend'] },
      { href: '/usage', name: 'Usage', icon: 'usage', routes: ['/usage'] },
      { href: '/ledger', name: 'Ledger', icon: 'ledger', routes: ['/ledger'] },
      { href: '/channels', name: 'Notifications', icon: 'notifications', routes: ['/channels'] },
      { href: '/activity', name: 'Activity', icon: 'activity', routes: ['/activity'] },
      { href: '/audit', name: 'Audit trail', icon: 'audit', routes: ['/audit'] },
      { href: '/exports', name: 'Exports', icon: 'exports', routes: ['/exports', '/evidence'] },
      { href: '/jobs', name: 'Jobs', icon: 'jobs', routes: ['/jobs'] },
      { href: '/collectors', name: 'Collectors', icon: 'collectors', routes: ['/collectors'] },
      { href: '/onboarding', name: 'Onboarding', icon: 'onboarding', routes: ['/onboarding'] },
    ],
  },
];

/**
 * Whether a page belongs to a place.
 * @param route id of the page's route, such as `/lanes/[lane]`
 * @returns `page` for the place's own page, `true` for one below it, undefined for any other
 */
export function currentOf(place: Place, route: string): 'page' | 'true' | undefined {
  if (route === place.href) return 'page';
  const below = place.routes.some((one) => route === one || (one !== '/' && route.startsWith(`${one}/`)));
  return below ? 'true' : undefined;
}
