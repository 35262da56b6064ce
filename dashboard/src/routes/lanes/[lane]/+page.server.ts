import { error } from '@sveltejs/kit';
import { overviewQuerySchema } from '@lanewatch/query-api/contract';
import { parseQuery } from '#lib/query.ts';
import { caseActions } from '../../workspace/acts.ts';
import { readCase } from '../../workspace/read.ts';
import type { Actions, PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, params, url }) => {
  const { api } = locals;
  const { window } = parseQuery(overviewQuerySchema, url.searchParams);
  const [found, callers, assignees] = await Promise.all([
    readCase(api, params.lane, window),
    // The page does without who would be hit where that takes too long to tell.
    api.laneCallers(params.lane).catch(() => null),
    api.assignees().then(
      ({ items }) => items,
      () => [],
    ),
  ]);
  if (found === null) error(404, 'No event was ever seen on this lane.');
  return { found, callers, assignees };
};

export const actions: Actions = caseActions;
