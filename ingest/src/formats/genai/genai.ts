import { hash } from 'node:crypto';
import { failureOf } from '../../normalise/outcome.ts';
import type { JsonObject } from '../json-body.ts';
import { latencyOrNone } from '../latency.ts';
import { type Attributes, numberAttribute, textAttribute } from '../otlp/attributes.ts';
import { isoTimeOf, namedKeyOf, placeOf } from '../otlp/common.ts';
import type { LogRecordMapper } from '../otlp/log-record.ts';
import type { Span, SpanMapper } from '../otlp/span.ts';
import { NAMES } from './attribute-names.ts';
import { usesCloudCredentials } from './providers.ts';
import { roleOf } from './span-role.ts';
import { hasTokens, tokensOf } from './tokens.ts';

/** What a request says of itself, as span or as log record. */
interface Described extends Pick<
  Span,
  'resource' | 'scopeName' | 'scopeVersion' | 'traceId' | 'spanId' | 'attributes' | 'isError'
> {
  time: number | null;
  latencyMs: number | undefined;
}

/** Requests as spans, by the GenAI conventions and those beside them. */
export const genaiSpanMapper: SpanMapper = {
  name: 'genai',
  roleOf,
  isTelling: (span) => hasTokens(span.attributes) || hasFailed(span),
  map: (span, clientAddress) =>
    eventOf(
      {
        ...span,
        time: span.end ?? span.start,
        latencyMs: span.end !== null && span.start !== null ? span.end - span.start : undefined,
      },
      clientAddress,
    ),
};

const DETAILS = 'gen_ai.client.inference.operation.details';

/**
 * The log record in which the conventions repeat a request. It has the identity of the span that it was written in, so that the two are
 * one event, whichever comes; records of single messages (`gen_ai.choice` and so on) count nothing.
 */
export const genaiLogMapper: LogRecordMapper = {
  name: 'genai',
  claims: ({ eventName }) => eventName.startsWith('gen_ai.'),
  map(record, clientAddress) {
    const described = {
      ...record,
      scopeVersion: '',
      isError: false,
      latencyMs: secondsOf(record.attributes, 'gen_ai.client.operation.duration'),
    };
    if (record.eventName !== DETAILS || !(hasTokens(record.attributes) || hasFailed(described))) {
      return { kind: 'ignored', what: record.eventName === DETAILS ? 'genai_details' : 'genai_message', count: 1 };
    }
    return { kind: 'event', input: eventOf(described, clientAddress) };
  },
};

function secondsOf(attributes: Attributes, name: string): number | undefined {
  const seconds = numberAttribute(attributes, name);
  return seconds === undefined ? undefined : seconds * 1000;
}

function eventOf(request: Described, clientAddress: string): JsonObject {
  const { attributes, resource } = request;
  const text = (...keys: string[]) => textAttribute(attributes, ...keys);
  const failed = hasFailed(request);
  const status = statusOf(attributes);
  const provider = text(...NAMES.provider);
  const service = textAttribute(resource, 'service.name');
  // What the OpenTelemetry SDK writes where nobody named the service.
  const isNamed = service !== undefined && !service.startsWith('unknown_service');
  return {
    source: 'genai',
    id: identityOf(request),
    time: isoTimeOf(request.time),
    credential: credentialOf(attributes, provider),
    org: text(...NAMES.org),
    user: text(...NAMES.user),
    ip: clientAddress,
    ...placeOf(attributes),
    agent: {
      name: isNamed ? service : request.scopeName,
      version: isNamed ? textAttribute(resource, 'service.version') : request.scopeVersion,
    },
    session: text(...NAMES.session),
    request_id: text(...NAMES.requestId),
    response_id: text(...NAMES.responseId),
    provider,
    model: text(...NAMES.model),
    module: text('gen_ai.agent.name', 'ai.telemetry.functionId'),
    action: 'execution',
    operation: text('gen_ai.operation.name', 'ai.operationId', 'llm.request.type', 'openinference.span.kind'),
    outcome: failed ? outcomeOf(status, text('error.type')) : 'success',
    status_code: status,
    tokens: tokensOf(request),
    latency_ms: latencyOrNone(request.latencyMs),
    reporter: 'sdk',
  };
}

/**
 * Trace and span name a request for ever. Without them (a record outside of any span) what it says does.
 */
function identityOf({ traceId, spanId, attributes, time }: Described): string {
  if (traceId !== '' && spanId !== '') return `${traceId}${spanId}`;
  const facts = [
    ...NAMES.requestId,
    ...NAMES.responseId,
    ...NAMES.model,
    ...NAMES.session,
    ...NAMES.input,
    ...NAMES.output,
    'event.timestamp',
  ];
  return hash('sha256', JSON.stringify([time, ...facts.map((key) => textAttribute(attributes, key) ?? null)]), 'hex');
}

/** The status of the answer; some instrumentations write it into `error.type`. */
function statusOf(attributes: Attributes): number | undefined {
  const status = numberAttribute(attributes, ...NAMES.status) ?? numberAttribute(attributes, 'error.type');
  return status !== undefined && Number.isInteger(status) && status >= 100 && status <= 999 ? status : undefined;
}

const hasFailed = ({ attributes, isError }: Pick<Described, 'attributes' | 'isError'>) =>
  isError || textAttribute(attributes, 'error.type') !== undefined || (statusOf(attributes) ?? 0) >= 400;

/** Without a status the name of the error class tells: AuthenticationError, RateLimitError, ThrottlingException. */
function outcomeOf(status: number | undefined, errorType = ''): string {
  if (status !== undefined && status >= 400) return failureOf(status);
  if (/authenticat|unauthori|permission|forbidden|accessdenied/i.test(errorType)) return failureOf(401);
  return failureOf(/rate.?limit|throttl|quota|resource.?exhausted/i.test(errorType) ? 429 : undefined);
}

/** The key by `apikey.*`, else the virtual key of a LiteLLM proxy; else a key that nothing names, or none with a cloud's own credentials. */
function credentialOf(attributes: Attributes, provider: string | undefined): JsonObject {
  const named = namedKeyOf(attributes);
  if (named !== undefined) return named;
  const fingerprint = textAttribute(attributes, 'metadata.user_api_key_hash');
  const hint = textAttribute(attributes, 'metadata.user_api_key_alias');
  if (fingerprint !== undefined || hint !== undefined) {
    return { fingerprint, hint, provider: 'litellm', kind: 'api_key' };
  }
  return { kind: usesCloudCredentials(provider) ? 'none' : 'api_key' };
}
