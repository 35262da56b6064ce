import { json } from '@sveltejs/kit';
import { credentialHref, laneHref } from '#lib/links.ts';
import type { RequestHandler } from './$types';
import type { Found } from './found.ts';

const RESULTS_MAX = 6;

/** What the command palette finds for a few letters: lanes and registered keys, each with its page. */
export const GET: RequestHandler = async ({ url, locals }) => {
  const q = (url.searchParams.get('q') ?? '').trim().slice(0, 200);
  if (q === '') return json([] satisfies Found[]);
  // One of both is enough: the registry answers while the ledger does not.
  const [lanes, credentials] = await Promise.allSettled([
    locals.api.lanes({ q, window: '90d', limit: RESULTS_MAX }),
    locals.api.credentials({ q, limit: RESULTS_MAX }),
  ]);
  const found: Found[] = [];
  for (const lane of lanes.status === 'fulfilled' ? lanes.value.items : [])
    found.push({ kind: 'Lanes', href: laneHref(lane.lane), name: lane.hint || lane.lane, note: lane.org });
  for (const key of credentials.status === 'fulfilled' ? credentials.value.items : [])
    found.push({ kind: 'Registered keys', href: credentialHref(key.id), name: key.name, note: key.hint });
  return json(found);
};
