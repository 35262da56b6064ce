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

/** Changes of a key, and findings, that are marked at most. */
const CHANGES_MAX = 20;
const FINDINGS_MAX = 20;

/** When findings fired and the registry changed, oldest first; without the registry's where it can't be asked. */
async function marksOf(api: Api, { lane, findings: undecided }: CaseData): Promise<TrendMark[]> {
  const itemsOf = <Item>(read: Promise<{ items: Item[] }>, without: Item[]) =>
    read.then(
      ({ items }) => items,
      () => without,
    );
  const [findings, changes] = await Promise.all([
    itemsOf(api.findings({ lane: lane.lane, limit: FINDINGS_MAX }), undecided),
    lane.credential === null ? [] : itemsOf(api.credentialLog(lane.credential.id, { limit: CHANGES_MAX }), []),
  ]);
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
  const [found, callers, sharing, assignees] = await Promise.all([
    readCase(api, params.lane, window),
    // The page says so where one of these can't be told, and has the rest.
    api.laneCallers(params.lane).catch(() => null),
    api.laneSharing(params.lane, window).catch(() => null),
    api.assignees().then(
      ({ items }) => items,
      () => [],
    ),
  ]);
  if (found === null) error(404, 'No event was ever seen on this lane.');
  return { found, callers, sharing, assignees, marks: await marksOf(api, found) };
};

export const actions: Actions = caseActions;
