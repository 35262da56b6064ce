import { PROBLEMS } from './problem.ts';
import type { ProblemCode } from './problem.ts';

/** What decides which problems a route may answer with. */
export interface RouteFacts {
  /** It answers without being signed in. */
  isOpen: boolean;
  /** It asks who somebody is: signing in, or a proof on one's own account. */
  proves: boolean;
  /** It takes a body. */
  changes: boolean;
  /** Its path names a thing. */
  names: boolean;
  /** It runs SQL that a person wrote. */
  queries: boolean;
  /** It answers with an event stream. */
  streams: boolean;
}

const always = () => true;
const never = () => false;
const changes = (route: RouteFacts) => route.changes;

/** Which routes answer with a problem. A problem that is added has to say so here. */
const ANSWERED_BY: Record<ProblemCode, (route: RouteFacts) => boolean> = {
  validation: always,
  malformed_body: changes,
  malformed_request: always,
  raw_key: always,
  query_invalid: ({ queries }) => queries,
  not_signed_in: ({ isOpen }) => !isOpen,
  link_invalid: ({ isOpen, proves }) => isOpen && proves,
  sign_in_refused: ({ proves }) => proves,
  not_allowed: ({ isOpen }) => !isOpen,
  query_refused: ({ queries }) => queries,
  step_up_needed: (route) => route.changes && !route.isOpen,
  foreign_origin: changes,
  // What a body names, such as the export of a piece of evidence, can be missing as well.
  not_found: (route) => route.names || route.changes,
  // Is what there is no such route for.
  method_not_allowed: never,
  request_timeout: always,
  conflict: changes,
  body_too_large: changes,
  unsupported_media_type: changes,
  // Every read may come to the ledger, if only for when a key was used.
  read_too_large: ({ isOpen, proves }) => !isOpen && !proves,
  too_many_requests: ({ proves, queries, streams }) => proves || queries || streams,
  headers_too_large: always,
  internal: always,
  unavailable: always,
};

/** The problems that a route may answer with, by status: each with what its codes mean. */
export function problemsOf(route: RouteFacts): Record<number, string> {
  const meanings: Record<number, string> = {};
  for (const [code, { status, title }] of Object.entries(PROBLEMS)) {
    if (!ANSWERED_BY[code as ProblemCode](route)) continue;
    const before = meanings[status];
    meanings[status] = `${before === undefined ? '' : `${before}; `}\`${code}\`: ${title}`;
  }
  return meanings;
}
