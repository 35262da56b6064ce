import { PROBLEMS } from './problem.ts';
import type { ProblemCode } from './problem.ts';

/** What decides which problems a route may answer with. */
export interface RouteFacts {
  /** Method and pattern, such as `POST /v1/jobs/:id/run`. */
  route: string;
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
  /** It asks a service that an operator has to name first. */
  asksOthers: boolean;
  /** Whoever asks needs more than to be signed in. */
  isRestricted: boolean;
  /** Its answer comes from the ledger. */
  readsLedger: boolean;
  /** It answers with an event stream. */
  streams: boolean;
}

/** Changes that nothing stands against: what they name may be there, have changed or have ended, and they do the same. */
export const NEVER_IN_CONFLICT: ReadonlySet<string> = new Set([
  'POST /v1/channels',
  'POST /v1/channels/:id/test',
  'POST /v1/credentials/import',
  'POST /v1/credentials/preflight',
  'POST /v1/credentials/verify',
  'POST /v1/exports',
  'POST /v1/findings/:id/comment',
  'POST /v1/invitations/look',
  'PATCH /v1/me',
  'POST /v1/me/passkeys',
  'POST /v1/me/passkeys/options',
  'POST /v1/me/passkeys/:id/remove',
  'POST /v1/me/sessions/:id/revoke',
  'POST /v1/me/tokens',
  'POST /v1/people/:id/link',
  'POST /v1/sign-in',
  'POST /v1/sign-in/oidc',
  'POST /v1/sign-in/oidc/callback',
  'POST /v1/sign-in/passkey',
  'POST /v1/sign-in/passkey/options',
  'POST /v1/sign-in/password',
  'POST /v1/sign-out',
  'POST /v1/sql',
  'POST /v1/sql/estimate',
]);

/** Routes whose path names nothing and that still may not find what they are asked about. */
export const NAMING_OTHERWISE: ReadonlySet<string> = new Set([
  'POST /v1/evidence',
  'POST /v1/findings/triage',
  'POST /v1/sign-in/oidc',
  'POST /v1/sign-in/oidc/callback',
]);

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
  not_allowed: ({ isRestricted }) => isRestricted,
  query_refused: ({ queries }) => queries,
  step_up_needed: (route) => route.changes && !route.isOpen,
  foreign_origin: changes,
  not_found: ({ names, route }) => names || NAMING_OTHERWISE.has(route),
  // Is what there is no such route for.
  method_not_allowed: never,
  request_timeout: always,
  conflict: ({ changes: isChange, route }) => isChange && !NEVER_IN_CONFLICT.has(route),
  not_set_up: ({ asksOthers }) => asksOthers,
  body_too_large: changes,
  unsupported_media_type: changes,
  read_too_large: ({ readsLedger }) => readsLedger,
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
