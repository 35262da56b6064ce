import { segmentOf, type EntityKind } from '@lanewatch/query-api/contract/entity-address';
import { SPEND_DIMENSIONS, type SpendDimension } from '@lanewatch/query-api/contract/spend-dimensions';
import { entityHref, laneHref } from '#lib/links.ts';
import { queryOf, type Query } from '#lib/query.ts';

/** What each dimension is called on its tab, and what stands for events that have no value of it. */
export const DIMENSION_WORDS: Record<SpendDimension, { tab: string; absent: string }> = {
  lane: { tab: 'Key', absent: 'no key named' },
  user: { tab: 'Person', absent: 'person unresolved' },
  agent: { tab: 'Agent', absent: 'agent not named' },
  repo: { tab: 'Repository', absent: 'no repository named' },
  model: { tab: 'Model', absent: 'no model named' },
  org: { tab: 'Organization', absent: 'organization unknown' },
  project: { tab: 'Project', absent: 'no project registered' },
  team: { tab: 'Team', absent: 'no team registered' },
  owner: { tab: 'Owner', absent: 'no owner registered' },
  standing: { tab: 'Standing', absent: 'not decided' },
  environment: { tab: 'Environment', absent: 'environment not named' },
};

/** Where a click on a row leads: what one asks of a project, person or key next. */
const NEXT: Record<SpendDimension, SpendDimension> = {
  ...{ org: 'project', project: 'lane', team: 'lane', owner: 'lane', standing: 'lane', environment: 'lane' },
  ...{ lane: 'user', user: 'model', agent: 'user', repo: 'user', model: 'user' },
};
/** The dimension to go to from another, past those that have one value already. */
export function nextOf(by: SpendDimension, filtered: readonly string[]): SpendDimension {
  const taken = new Set([...filtered, by]);
  if (!taken.has(NEXT[by])) return NEXT[by];
  return (['model', 'user', 'agent', 'repo', 'lane'] as const).find((one) => !taken.has(one)) ?? 'model';
}

/** A value as a parameter: `~` for the empty one, and before one that begins so. */
export const parameterOf = (value: string): string => decodeURIComponent(segmentOf(value));

const NAMES = ['window', 'from', 'to', 'by', 'switch_to', ...SPEND_DIMENSIONS];
const isTime = (text: unknown): text is string => typeof text === 'string' && !Number.isNaN(Date.parse(text));

/** What an address asks for, in parameters of query-api. Bounds that are none are left out, so that the page shows its window. */
export function askedOf(params: URLSearchParams): Query {
  const asked: Query = Object.fromEntries(Object.entries(queryOf(params)).filter(([name]) => NAMES.includes(name)));
  const { from, to } = asked;
  const isFit = isTime(from) && (to === undefined || (isTime(to) && Date.parse(to) > Date.parse(from)));
  return isFit ? asked : { ...asked, from: undefined, to: undefined };
}

/** The ledger's filter for the rows of a value; null where the ledger has none for it. */
export function ledgerFilterOf(
  by: SpendDimension,
  value: string,
  credentialIds: readonly string[] | null,
): Query | null {
  if (by === 'project' || by === 'team' || by === 'owner')
    return credentialIds === null ? null : { credential_id: credentialIds };
  return value === '' ? { without: [by] } : { [by]: value };
}

/**
 * The same for the filters in force; null where one of them is none of the ledger's: then its rows would not add up to the figure.
 * @param filters by dimension, as parameters have them
 */
export function ledgerFiltersOf(filters: readonly { by: SpendDimension; values: readonly string[] }[]): Query | null {
  const found: Query = {};
  const without: string[] = [];
  for (const { by, values } of filters) {
    if (by === 'project' || by === 'team' || by === 'owner') return null;
    const named = values.filter((value) => value !== '');
    if (named.length === values.length) found[by] = named;
    else if (named.length === 0) without.push(by);
    else return null;
  }
  return without.length === 0 ? found : { ...found, without };
}

const ENTITIES: readonly string[] = ['user', 'agent', 'repo', 'model', 'org'] satisfies EntityKind[];
/** The page of a value; null where it has none. */
export function valueHref(by: SpendDimension, value: string): string | null {
  if (by === 'lane') return laneHref(value);
  return ENTITIES.includes(by) ? entityHref(by as EntityKind, value) : null;
}
