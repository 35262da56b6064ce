/** Requests and answers of query-api. One schema each: validation, OpenAPI and the dashboard's types come from it. */
export * from './common.ts';
export * from './overview.ts';
export * from './lanes.ts';
export * from './ledger.ts';
export * from './findings.ts';
export * from './triage.ts';
export * from './credentials.ts';
export * from './account.ts';
export * from './roles.ts';
export * from './people.ts';
export * from './tokens.ts';
export * from './credential-facts.ts';
export * from './credential-import.ts';
export * from './verify.ts';
export * from './directory.ts';
export * from './entity-address.ts';
export * from './jobs.ts';
