import { queryString, type Query } from '#lib/query.ts';

/** Addresses of pages, each in one place. */
export const laneHref = (lane: string, query: Query = {}) => `/lanes/${encodeURIComponent(lane)}${queryString(query)}`;
export const ledgerHref = (query: Query) => `/ledger${queryString(query)}`;
export const findingHref = (id: string) => `/findings/${encodeURIComponent(id)}`;
export const findingsHref = (query: Query) => `/findings${queryString(query)}`;
export const credentialHref = (id: string) => `/credentials/${encodeURIComponent(id)}`;
export const registerHref = (query: Query = {}) => `/credentials/new${queryString(query)}`;
export const createHref = (query: Query = {}) => `/credentials/create${queryString(query)}`;
export const importHref = '/credentials/import';
export const actHref = (id: string, act: 'edit' | 'rotate' | 'regenerate' | 'revoke') => `${credentialHref(id)}/${act}`;
