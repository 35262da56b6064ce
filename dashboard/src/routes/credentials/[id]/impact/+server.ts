import { error, json } from '@sveltejs/kit';
import type { Act } from '#lib/api/registry.ts';
import type { RequestHandler } from './$types';

const ACTS: readonly Act[] = ['revoke', 'rotate', 'regenerate'];

/** Who would be hit by a change: for the dialog, which asks when it is opened. */
export const GET: RequestHandler = async ({ params, url, locals }) => {
  const act = ACTS.find((one) => one === url.searchParams.get('act'));
  if (act === undefined) error(400, 'act must be one of: ' + ACTS.join(', '));
  return json(await locals.api.impact(params.id, act));
};
