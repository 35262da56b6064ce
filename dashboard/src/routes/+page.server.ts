import { INGEST_URL } from '$app/env/private';
import type { CasesPage } from '@lanewatch/query-api/contract';
import { parseQuery } from '#lib/query.ts';
import { landingQuerySchema, type LandingQuery } from './landing-query.ts';
import { caseActions } from './workspace/acts.ts';
import { readCase } from './workspace/read.ts';
import type { Actions, PageServerLoad } from './$types';

/** As many as somebody decides in one sitting; the rest is one click on. */
const CASES_SHOWN = 25;
/** Lanes of the raw inventory that the page ends with. */
const LANES_SHOWN = 8;

/** What of the queue's filters the inventory has as well. */
function inventoryQuery({ window, standing, shared, live, attributed, reason, org }: LandingQuery) {
  return { window, standing, shared, live, attributed, reason, org };
}

/** The entry that a lane is told by: its own, or that of its group. */
const entryOf = (cases: CasesPage, lane: string) =>
  cases.items.find((one) => one.lane === lane) ?? cases.items.find((one) => one.group?.lanes.includes(lane));

export const load: PageServerLoad = async ({ locals, url }) => {
  const { lane: named, ...query } = parseQuery(landingQuerySchema, url.searchParams);
  const { api } = locals;
  // All of it is waited for together: what fails after another part did must not go unheard, which ends the process.
  const [chosenEarly, overview, cases, lanes, assignees] = await Promise.all([
    named === undefined ? null : readCase(api, named, query.window),
    api.overview(query.window),
    api.cases({ ...query, limit: CASES_SHOWN }),
    api.lanes({ ...inventoryQuery(query), limit: LANES_SHOWN }),
    api.assignees().then(
      ({ items }) => items,
      () => [],
    ),
  ]);
  // Where nothing waits for a decision, the riskiest key that fits stands for all.
  const first = cases.items[0] ?? lanes.items[0];
  const chosen =
    chosenEarly ?? (first === undefined ? null : await readCase(api, first.lane, query.window, cases.items[0]?.latest));
  const entry = chosen === null ? undefined : entryOf(cases, chosen.lane.lane);
  return { overview, cases, lanes, query, chosen, entry: entry ?? null, assignees, ingestUrl: INGEST_URL };
};

export const actions: Actions = caseActions;
