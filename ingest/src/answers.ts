import { z } from 'zod';
import { encodeExportResponse, encodeStatus } from './formats/otlp/protobuf.ts';
import { isProtobuf } from './formats/otlp/request.ts';
import { type HttpFormat } from './formats/format.ts';
import { ApiProblem, fieldErrorSchema, problemBody, PROBLEMS } from './problem.ts';
import { type Fate, type Received } from './receive.ts';

/** A complete answer: status, headers and body. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string | Buffer;
}

/** The answer of `POST /v1/events` and the webhooks. */
export const countsSchema = z.object({
  accepted: z.number().int().describe('Events that are durable now.'),
  rejected: z.number().int().describe('Events that were refused; send them again only after a correction.'),
  ignored: z.number().int().describe('Valid records that are no usage.'),
  dropped_fields: z.number().int().describe('Fields that no contract names; they were left out.'),
  redacted: z.number().int().describe('Secrets that were replaced by their hints.'),
  errors: z.array(fieldErrorSchema).describe('Why events were refused, at most 100.'),
});

/** The answer to formats in which each thing has its own. */
export const fatesSchema = z.object({
  successes: z.array(z.object({ id: z.string(), status: z.number().int() })),
  errors: z.array(z.object({ id: z.string(), status: z.number().int(), message: z.string(), error: z.string() })),
});

const JSON_HEADERS = { 'content-type': 'application/json; charset=utf-8' };

/**
 * The answer to a body that was received.
 * @throws ApiProblem invalid_events when there were events and none was valid (not for OTLP, which has partial success)
 */
export function answerOf(format: HttpFormat, received: Received, mediaType: string): Answer {
  if (format.answer === 'each') return fatesAnswer(received.fates);
  if (isOtlp(format.answer)) return otlpAnswer(format.answer, received, mediaType);
  const counts: z.infer<typeof countsSchema> = {
    accepted: received.events.length,
    rejected: received.rejected,
    ignored: sum(received.ignored),
    dropped_fields: received.droppedFields,
    redacted: received.redactions,
    errors: received.errors,
  };
  if (counts.accepted === 0 && counts.rejected > 0) {
    const { errors, ...extras } = counts;
    const detail =
      counts.rejected === 1 ? 'The event was refused.' : `All ${counts.rejected} events were refused, see errors.`;
    throw new ApiProblem('invalid_events', detail, { errors, extras });
  }
  if (format.answer === 'no_content' && counts.rejected === 0) return { status: 204, headers: {}, body: '' };
  return { status: 200, headers: JSON_HEADERS, body: JSON.stringify(counts) };
}

/** 207 as Langfuse answers: what was taken and what was not, by the ids of the items. */
function fatesAnswer(fates: Fate[]): Answer {
  const { successes, errors }: z.infer<typeof fatesSchema> = { successes: [], errors: [] };
  for (const { ref, error } of fates) {
    if (error === null) successes.push({ id: ref, status: 201 });
    else
      errors.push({
        id: ref,
        status: 400,
        message: `${error.path} ${error.message}`.trim(),
        error: 'Invalid request data',
      });
  }
  return { status: 207, headers: JSON_HEADERS, body: JSON.stringify({ successes, errors }) };
}

export function sum(counts: Map<string, number>): number {
  let total = 0;
  for (const count of counts.values()) total += count;
  return total;
}

const REJECTED_FIELD = {
  otlp_logs: 'rejectedLogRecords',
  otlp_metrics: 'rejectedDataPoints',
  otlp_traces: 'rejectedSpans',
} as const;

const isOtlp = (answer: HttpFormat['answer']): answer is keyof typeof REJECTED_FIELD =>
  Object.hasOwn(REJECTED_FIELD, answer);

/** 200 in the request's own content type; `partialSuccess` only when something was refused, as the OTLP specification says. */
function otlpAnswer(kind: keyof typeof REJECTED_FIELD, received: Received, mediaType: string): Answer {
  const message = errorMessageOf(received);
  if (isProtobuf(mediaType)) {
    return {
      status: 200,
      headers: { 'content-type': mediaType },
      body: encodeExportResponse(received.rejected, message),
    };
  }
  const partial =
    received.rejected === 0
      ? {}
      : // A 64-bit integer, which is a text in protobuf's JSON.
        { partialSuccess: { [REJECTED_FIELD[kind]]: String(received.rejected), errorMessage: message } };
  return otlpJson(200, {}, partial);
}

/** Faults that one error message names at most. It goes into the log of the sender, mostly as one line. */
const FAULTS_NAMED_MAX = 5;

/**
 * The faults of a partial success in one line: each different one with the position of the first record that has it, counted from 0
 * over all records of the request, and how many were left out. '' when nothing was refused.
 */
function errorMessageOf({ errors, faults }: Received): string {
  const named = new Map<string, number>();
  for (const { index, path, message } of errors) {
    const fault = `${path} ${message}`.trim();
    if (named.size < FAULTS_NAMED_MAX && !named.has(fault)) named.set(fault, index ?? 0);
  }
  const parts = [...named].map(([fault, index]) => `record ${index}: ${fault}`);
  if (faults > named.size) parts.push(`and ${faults - named.size} more`);
  return parts.join('; ');
}

/** A refusal in the form the sender reads: google.rpc.Status for OTLP, problem+json for everyone else. */
export function refusalOf(
  problem: ApiProblem,
  requestId: string,
  format: HttpFormat | null,
  mediaType: string,
): Answer {
  const headers = { ...problem.headers };
  if (format === null || !isOtlp(format.answer)) {
    return {
      status: problem.status,
      headers: { ...headers, 'content-type': 'application/problem+json; charset=utf-8' },
      body: JSON.stringify(problemBody(problem, requestId)),
    };
  }
  const { rpcCode } = PROBLEMS[problem.code];
  if (isProtobuf(mediaType)) {
    return {
      status: problem.status,
      headers: { ...headers, 'content-type': mediaType },
      body: encodeStatus(rpcCode, problem.detail),
    };
  }
  return otlpJson(problem.status, headers, { code: rpcCode, message: problem.detail });
}

/**
 * The content type is exactly that of the OTLP specification: the OpenTelemetry Collector's exporter compares it as a whole and passes
 * over what has parameters. The body is bytes because fastify adds a charset to the type of a text.
 */
function otlpJson(status: number, headers: Record<string, string>, value: object): Answer {
  return {
    status,
    headers: { ...headers, 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify(value)),
  };
}
