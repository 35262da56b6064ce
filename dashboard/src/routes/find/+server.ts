import { json } from '@sveltejs/kit';
import { ENTITY_WORDS } from '#lib/entity-kinds.ts';
import { counted } from '#lib/format/count.ts';
import { credentialHref, entityHref, laneHref } from '#lib/links.ts';
import type { RequestHandler } from './$types';
import type { Found } from './found.ts';

const RESULTS_MAX = 6;
const ENTITIES_MAX = 3;
const KINDS = ['user', 'endpoint', 'agent', 'repo', 'session', 'model', 'org'] as const;

/** What the command palette finds for a few letters: lanes, registered keys, and whatever events name, each with its page. */
export const GET: RequestHandler = async ({ url, locals }) => {
  const q = (url.searchParams.get('q') ?? '').trim().slice(0, 200);
  if (q === '') return json([] satisfies Found[]);
  // One of all is enough: the registry answers while the ledger does not.
  const found = await Promise.allSettled([
    locals.api.lanes({ q, window: '90d', limit: RESULTS_MAX }).then(({ items }) =>
      items.map(({ lane, hint, org }): Found => ({
        kind: 'Lanes',
        href: laneHref(lane),
        name: hint || lane,
        note: org,
      })),
    ),
    locals.api.credentials({ q, limit: RESULTS_MAX }).then(({ items }) =>
      items.map(({ id, name, hint }): Found => ({
        kind: 'Registered keys',
        href: credentialHref(id),
        name,
        note: hint,
      })),
    ),
    ...KINDS.map((kind) =>
      locals.api.entities(kind, { q, window: '7d', limit: ENTITIES_MAX }).then(({ items }) =>
        items
          .filter(({ value }) => value !== '')
          .map(({ value, keys }): Found => ({
            kind: ENTITY_WORDS[kind].plural,
            href: entityHref(kind, value),
            name: value,
            note: counted(keys, 'key'),
          })),
      ),
    ),
  ]);
  return json(found.flatMap((one) => (one.status === 'fulfilled' ? one.value : [])));
};
