import { hash } from 'node:crypto';
import { failureOf } from '../../normalise/outcome.ts';
import type { JsonObject } from '../json-body.ts';
import { latencyOrNone } from '../latency.ts';
import { type Attributes, numberAttribute, textAttribute } from '../otlp/attributes.ts';
import { isoTimeOf, namedKeyOf, placeOf } from '../otlp/common.ts';
import type { LogRecord, LogRecordMapper } from '../otlp/log-record.ts';
import { disjointTokens } from '../token-counts.ts';

const PREFIX = 'codex.';

/** Records that are no request of their own: counted by these names, anything else as `other`. */
const OTHER_EVENTS = new Set([
  'api_request',
  'auth_recovery',
  'conversation_starts',
  'sse_event',
  'startup_phase',
  'tool_decision',
  'tool_result',
  'turn_ttft',
  'user_prompt',
  'websocket_connect',
  'websocket_request',
]);

/**
 * Log records of Codex (captured from 0.169.0 and 0.171.0). A request that went well is the one record of its end that counts tokens; `api_request`
 * says the same with its status and is read only where the request failed. Metrics and spans repeat all of it without the session and
 * are not read. `tool_result` carries commands and their output in the clear, of which nothing is kept.
 */
export const codexMapper: LogRecordMapper = {
  name: 'codex',
  claims: ({ resource, scopeName, eventName }) =>
    eventName.startsWith(PREFIX) ||
    scopeName.startsWith('codex_otel') ||
    /^codex[_-]/.test(textAttribute(resource, 'service.name') ?? ''),
  map(record, clientAddress) {
    const name = record.eventName.startsWith(PREFIX) ? record.eventName.slice(PREFIX.length) : record.eventName;
    if (isUsage(name, record.attributes) || isFailure(name, record.attributes)) {
      return { kind: 'event', input: eventOf(record, name, clientAddress) };
    }
    return { kind: 'ignored', what: OTHER_EVENTS.has(name) ? name : 'other', count: 1 };
  },
};

/** Of the two records of a completed answer only the second counts tokens; it comes from WebSockets, too. */
const isUsage = (name: string, attributes: Attributes) =>
  name === 'sse_event' && numberAttribute(attributes, 'input_token_count', 'output_token_count') !== undefined;

/** How an answer ends that never comes to its end; an item that cannot be read in between is no such end. */
const FAILED_ENDS = new Set([undefined, 'response.failed', 'response.completed']);

function isFailure(name: string, attributes: Attributes): boolean {
  const status = numberAttribute(attributes, 'http.response.status_code');
  const hasError = textAttribute(attributes, 'error.message') !== undefined;
  if (name === 'api_request') return hasError || (status !== undefined && status >= 400);
  if (name === 'websocket_connect' || name === 'websocket_request') return hasError;
  return name === 'sse_event' && hasError && FAILED_ENDS.has(textAttribute(attributes, 'event.kind'));
}

function eventOf(record: LogRecord, name: string, clientAddress: string): JsonObject {
  const { attributes } = record;
  const text = (...keys: string[]) => textAttribute(attributes, ...keys);
  const number = (...keys: string[]) => numberAttribute(attributes, ...keys);
  const failed = isFailure(name, attributes);
  const statusCode = number('http.response.status_code');
  const model = text('model', 'slug');
  return {
    source: 'codex',
    id: identityOf(record, name),
    // The record's own time is 0, and when it was observed is a little later.
    time: text('event.timestamp') ?? isoTimeOf(record.time),
    credential: credentialOf(attributes),
    user: text('user.email', 'enduser.id', 'user.account_id'),
    ip: clientAddress,
    ...placeOf(attributes),
    environment: text('deployment.environment.name', 'deployment.environment', 'env'),
    agent: { name: text('originator', 'service.name') ?? 'codex', version: text('app.version', 'service.version') },
    session: text('conversation.id'),
    request_id: text('auth.request_id'),
    // Only the record of the conversation's start names the provider. A model of OpenAI leaves no doubt.
    provider: model !== undefined && /^(gpt|codex|o\d)/.test(model) ? 'openai' : undefined,
    model,
    action: 'execution',
    operation: text('endpoint') ?? 'responses',
    outcome: failed ? failureOf(statusCode) : 'success',
    status_code: failed && statusCode !== undefined && statusCode >= 400 ? statusCode : undefined,
    tokens: failed
      ? undefined
      : disjointTokens(
          {
            input: number('input_token_count'),
            cacheRead: number('cached_token_count'),
            cacheWrite: number('cache_write_token_count'),
            // Reasoning is part of it.
            output: number('output_token_count'),
          },
          'inclusive',
        ),
    latency_ms: latencyOrNone(number('duration_ms')),
    reporter: 'agent',
  };
}

/** What tells records of one conversation in the same millisecond apart. */
const FACTS = [
  'conversation.id',
  'event.timestamp',
  'event.kind',
  'input_token_count',
  'output_token_count',
  'cached_token_count',
  'attempt',
  'duration_ms',
];

const identityOf = ({ attributes, time }: LogRecord, name: string) =>
  hash('sha256', JSON.stringify([name, time, ...FACTS.map((key) => textAttribute(attributes, key) ?? null)]), 'hex');

/** Signed in with ChatGPT it uses no key. Otherwise it runs on one, which Codex never names. */
function credentialOf(attributes: Attributes): JsonObject {
  const named = namedKeyOf(attributes);
  if (named !== undefined) return named;
  const isAccount =
    /^chatgpt/i.test(textAttribute(attributes, 'auth_mode') ?? '') ||
    textAttribute(attributes, 'user.account_id', 'user.email') !== undefined;
  return isAccount ? { provider: 'openai', kind: 'oauth' } : { kind: 'api_key' };
}
