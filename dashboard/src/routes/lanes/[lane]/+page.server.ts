import { error } from '@sveltejs/kit';
import { overviewQuerySchema } from '@lanewatch/query-api/contract';
import { parseQuery } from '#lib/query.ts';
import { caseActions } from '../../workspace/acts.ts';
import { readCase } from '../../workspace/read.ts';
import type { TrendMark } from '#lib/chart/trend.ts';
import { findingHref, credentialHref } from '#lib/links.ts';
import type { Api } from '#lib/api/client.ts';
import type { CaseData } from '../../workspace/read.ts';
import type { Actions, PageServerLoad } from './$types';

/** Changes of a key that are marked at most. */
const CHANGES_MAX = 20;

/** When findings fired and the registry changed, oldest first; without the registry's where it can't be asked. */
async function marksOf(api: Api, { lane, findings }: CaseData): Promise<TrendMark[]> {
  const changes =
    lane.credential === null
      ? []
      : await api.credentialLog(lane.credential.id, { limit: CHANGES_MAX }).then(
          ({ items }) => items,
          () => [],
        );
  return [
    ...findings.map(({ id, title, first_seen: at }) => ({ at, text: title, href: findingHref(id) })),
    ...changes.map(({ at, action }) => ({
      at,
      text: `key ${action.replaceAll('_', ' ')}`,
      href: credentialHref(lane.credential?.id ?? ''),
    })),
  ]
    .filter(({ at }) => at >= lane.from && at < lane.to)
    .sort((a, b) => a.at.localeCompare(b.at));
}

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
  return { found, callers, assignees, marks: await marksOf(api, found) };
};

export const actions: Actions = caseActions;
