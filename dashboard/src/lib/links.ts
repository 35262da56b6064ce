import { segmentOf, type EntityKind } from '@lanewatch/query-api/contract/entity-address';
import { changedQuery, queryString, type Query } from '#lib/query.ts';

/** Addresses of pages, each in one place. Values in them come from senders: `segmentOf` makes any of them one harmless segment. */

/** Where the pages of each kind are. People that events name are users here; `/people` has those who sign in. */
export const ENTITY_PATHS: Record<EntityKind, string> = {
  user: '/users',
  endpoint: '/endpoints',
  agent: '/agents',
  repo: '/repositories',
  model: '/models',
  session: '/sessions',
  org: '/organizations',
};

/** The list of a kind. */
export const entitiesHref = (kind: EntityKind, query: Query = {}) => ENTITY_PATHS[kind] + queryString(query);

/** The page of one value; of the empty one it tells of all events that name none: persons unresolved, endpoints unknown. */
export const entityHref = (kind: EntityKind, value: string, query: Query = {}) =>
  `${ENTITY_PATHS[kind]}/${segmentOf(value)}${queryString(query)}`;

/** One run, call by call. */
export const sessionHref = (session: string, query: Query = {}) => entityHref('session', session, query);

export const laneHref = (lane: string, query: Query = {}) => `/lanes/${segmentOf(lane)}${queryString(query)}`;

/**
 * Rows of the ledger.
 * @param filter columns with the values they are to have
 * @param window bounds that a number was counted in: the rows then add up to it
 */
export const ledgerHref = (filter: Query, window?: { from: string; to: string }) =>
  `/ledger${queryString(window ? { ...filter, from: window.from, to: window.to } : filter)}`;

export const findingHref = (id: string) => `/findings/${segmentOf(id)}`;
export const findingsHref = (query: Query) => `/findings${queryString(query)}`;
export const credentialHref = (id: string) => `/credentials/${segmentOf(id)}`;
/** The registry's keys that fit. */
export const credentialsHref = (query: Query) => `/credentials${queryString(query)}`;
export const registerHref = (query: Query = {}) => `/credentials/new${queryString(query)}`;
export const createHref = (query: Query = {}) => `/credentials/create${queryString(query)}`;
export const importHref = '/credentials/import';
export const actHref = (id: string, act: 'edit' | 'rotate' | 'regenerate' | 'revoke') => `${credentialHref(id)}/${act}`;
export const deadLetterHref = (id: string) => `/collectors/dead-letters/${segmentOf(id)}`;

export const evidenceHref = (id: string) => `/evidence/${segmentOf(id)}`;

/** The page of exports, asked for what a list shows by the address' filters. */
export const exportHref = (what: 'activity' | 'audit' | 'ledger', searchParams: Iterable<[string, string]>) =>
  changedQuery({ pathname: '/exports', searchParams }, { limit: null, what });
