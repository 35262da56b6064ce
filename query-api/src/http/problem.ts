import type { Problem } from '../../contract/index.ts';

/**
 * The closed list of problems. `type` on the wire is `urn:lanewatch:problem:<code>`; the README's table holds the same codes.
 */
export const PROBLEMS = {
  validation: { status: 400, title: 'The request has fields that can’t be used' },
  malformed_body: { status: 400, title: 'The body can’t be read' },
  malformed_request: { status: 400, title: 'The request can’t be read' },
  raw_key: { status: 400, title: 'A raw key was sent' },
  query_invalid: { status: 400, title: 'The query can’t be run' },
  not_signed_in: { status: 401, title: 'Not signed in' },
  link_invalid: { status: 401, title: 'The sign-in link can’t be used' },
  sign_in_refused: { status: 401, title: 'Signing in failed' },
  not_allowed: { status: 403, title: 'Your role may not do this' },
  query_refused: { status: 403, title: 'The query may not be run' },
  step_up_needed: { status: 403, title: 'A fresh TOTP code is needed' },
  foreign_origin: { status: 403, title: 'The request came from another site' },
  not_found: { status: 404, title: 'Not found' },
  method_not_allowed: { status: 405, title: 'Method not allowed' },
  request_timeout: { status: 408, title: 'The request came too slowly' },
  conflict: { status: 409, title: 'It does not go with how things are now' },
  not_set_up: { status: 409, title: 'It is not set up here' },
  body_too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'Unsupported media type' },
  read_too_large: { status: 422, title: 'The read takes too much' },
  too_many_requests: { status: 429, title: 'Too many requests' },
  headers_too_large: { status: 431, title: 'URL and headers are too large' },
  internal: { status: 500, title: 'Something failed here' },
  unavailable: { status: 503, title: 'A store does not answer' },
} as const;
export type ProblemCode = keyof typeof PROBLEMS;

export interface FieldError {
  path: string;
  message: string;
}

/** An answer that says what is wrong. `detail` and `errors` are public: they never repeat a value that was sent. */
export class ProblemError extends Error {
  readonly code: ProblemCode;
  readonly detail: string;
  readonly errors: FieldError[];
  readonly headers: Record<string, string>;
  constructor(code: ProblemCode, detail: string, errors: FieldError[] = [], headers: Record<string, string> = {}) {
    super(detail);
    this.name = 'ProblemError';
    this.code = code;
    this.detail = detail;
    this.errors = errors;
    this.headers = headers;
  }
}

/** The RFC 9457 body of a problem. */
export function problemBody(code: ProblemCode, detail: string, errors: FieldError[], requestId: string): Problem {
  const { status, title } = PROBLEMS[code];
  return { type: `urn:lanewatch:problem:${code}`, title, status, detail, errors, request_id: requestId };
}

/** A validation problem about one field. */
export function fieldProblem(path: string, message: string): ProblemError {
  return new ProblemError('validation', `${path} ${message}`, [{ path, message }]);
}
