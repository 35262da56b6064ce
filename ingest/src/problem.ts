import { z } from 'zod';

/**
 * Everything ingest refuses, as a closed list. The code is the last part of the problem's `type`, and a metric label.
 * `rpcCode` is the google.rpc.Code that OTLP senders get instead of problem+json.
 */
export const PROBLEMS = {
  invalid_body: { status: 400, title: 'The body cannot be read', rpcCode: 3 },
  invalid_events: { status: 400, title: 'No event of the body is valid', rpcCode: 3 },
  unauthenticated: { status: 401, title: 'A collector key is needed', rpcCode: 16 },
  forbidden: { status: 403, title: 'This key may not send events', rpcCode: 7 },
  not_found: { status: 404, title: 'There is no such route', rpcCode: 5 },
  method_not_allowed: { status: 405, title: 'The route does not take this method', rpcCode: 12 },
  request_timeout: { status: 408, title: 'The request took too long', rpcCode: 4 },
  body_too_large: { status: 413, title: 'The body is too large', rpcCode: 8 },
  unsupported_media_type: { status: 415, title: 'The body has a form this route does not take', rpcCode: 3 },
  bad_request: { status: 400, title: 'The request is not valid HTTP', rpcCode: 3 },
  headers_too_large: { status: 431, title: 'The headers of the request are too long', rpcCode: 3 },
  busy: { status: 503, title: 'Too much is being received at once', rpcCode: 14 },
  unavailable: { status: 503, title: 'Events cannot be stored right now', rpcCode: 14 },
  internal: { status: 500, title: 'Ingest failed', rpcCode: 13 },
} as const;

export type ProblemCode = keyof typeof PROBLEMS;

/** What is wrong with one field of one event (or of the request, when there is no index). */
export interface FieldError {
  /** Position of the event in the body, counted from 0. */
  index?: number | undefined;
  path: string;
  message: string;
}

/**
 * An answer other than success. `detail` is for the sender and must never repeat what they sent: it could be a secret.
 */
export class ApiProblem extends Error {
  readonly code: ProblemCode;
  readonly detail: string;
  readonly errors: FieldError[];
  readonly headers: Record<string, string>;
  /** Extension members of the problem object, such as counts. */
  readonly extras: Record<string, unknown>;

  constructor(
    code: ProblemCode,
    detail: string,
    more: {
      errors?: FieldError[];
      headers?: Record<string, string>;
      extras?: Record<string, unknown>;
      cause?: unknown;
    } = {},
  ) {
    super(detail, { cause: more.cause });
    this.name = 'ApiProblem';
    this.code = code;
    this.detail = detail;
    this.errors = more.errors ?? [];
    this.headers = more.headers ?? {};
    this.extras = more.extras ?? {};
  }

  get status(): number {
    return PROBLEMS[this.code].status;
  }
}

export const fieldErrorSchema = z.object({
  index: z.number().int().optional().describe('Position of the event in the body, from 0.'),
  path: z.string().describe('The field, such as tokens.output; empty for the whole event.'),
  message: z.string().describe('What is wrong and how to put it right. Never repeats the value.'),
});

/** RFC 9457 problem details as ingest writes them. */
export const problemSchema = z.object({
  type: z.string().describe('urn:lanewatch:problem:<code>'),
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  errors: z.array(fieldErrorSchema),
  request_id: z.string(),
});

/** The problem+json object of a refusal. */
export function problemBody(problem: ApiProblem, requestId: string): Record<string, unknown> {
  const { status, title } = PROBLEMS[problem.code];
  return {
    type: `urn:lanewatch:problem:${problem.code}`,
    title,
    status,
    detail: problem.detail,
    errors: problem.errors,
    request_id: requestId,
    ...problem.extras,
  };
}
