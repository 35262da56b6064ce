import { hash } from 'node:crypto';
import { failureOf } from '../../normalise/outcome.ts';
import type { JsonObject } from '../json-body.ts';
import { latencyOrNone } from '../latency.ts';
import { type Attributes, numberAttribute, textAttribute } from '../otlp/attributes.ts';
import { isoTimeOf, namedKeyOf, placeOf } from '../otlp/common.ts';
import type { LogRecord, LogRecordMapper } from '../otlp/log-record.ts';

const SCOPE = 'com.anthropic.claude_code.events';
const BODY_PREFIX = 'claude_code.';

/**
 * Records that are no request: counted by these names, anything else as `other`, so that a sender cannot invent metric labels.
 * api_refusal and api_retries_exhausted tell of a request that api_request or api_error already reports.
 */
const OTHER_EVENTS = new Set([
  'api_refusal',
  'api_retries_exhausted',
  'api_request_body',
  'api_response_body',
  'assistant_response',
  'at_mention',
  'auth',
  'compaction',
  'feedback_survey',
  'hook_execution_complete',
  'hook_execution_start',
  'hook_registered',
  'internal_error',
  'managed_settings_resolved',
  'mcp_server_connection',
  'permission_mode_changed',
  'plugin_installed',
  'plugin_loaded',
  'skill_activated',
  'tool_decision',
  'tool_result',
  'user_prompt',
]);

/**
 * Log records of Claude Code (captured from 2.0.77 to 2.1.330). `api_request` and `api_error` become events. Its metrics
 * and spans report the same requests again and are not read.
 */
export const claudeCodeMapper: LogRecordMapper = {
  name: 'claude-code',
  claims: ({ resource, scopeName, bodyText }) =>
    scopeName === SCOPE ||
    bodyText.startsWith(BODY_PREFIX) ||
    (textAttribute(resource, 'service.name')?.startsWith('claude-code') ?? false),
  map(record, clientAddress) {
    const name = nameOf(record);
    if (name === 'api_request' || name === 'api_error') {
      return { kind: 'event', input: eventOf(record, name, clientAddress) };
    }
    return { kind: 'ignored', what: OTHER_EVENTS.has(name) ? name : 'other', count: 1 };
  },
};

/** The event's name without prefix; it stands in the attribute, and with a prefix in the body. */
function nameOf({ eventName, bodyText }: LogRecord): string {
  const name = eventName === '' ? bodyText : eventName;
  return name.startsWith(BODY_PREFIX) ? name.slice(BODY_PREFIX.length) : name;
}

function eventOf(record: LogRecord, name: 'api_request' | 'api_error', clientAddress: string): JsonObject {
  const { attributes } = record;
  const text = (...keys: string[]) => textAttribute(attributes, ...keys);
  const querySource = text('query_source');
  const statusCode = numberAttribute(attributes, 'status_code', 'http.response.status_code');
  return {
    source: 'claude-code',
    id: identityOf(record),
    time: isoTimeOf(record.time) ?? text('event.timestamp'),
    credential: credentialOf(attributes),
    org: text('organization.id'),
    user: text('user.email', 'user.account_uuid', 'enduser.id', 'user.id'),
    ip: clientAddress,
    ...placeOf(attributes),
    agent: { name: text('service.name') ?? 'claude-code', version: text('service.version', 'app.version') },
    session: text('session.id'),
    request_id: text('request_id'),
    provider: 'anthropic',
    served_by: servedBy(text('anthropic.provider')),
    model: text('model'),
    action: 'execution',
    operation: querySource === undefined ? name : `${name}:${querySource}`,
    outcome: name === 'api_request' ? 'success' : failureOf(statusCode),
    // Status 0 and "undefined" mean that no answer came at all.
    status_code: statusCode,
    tokens: {
      // Already without the cache: Claude Code reports the API's own disjoint counts.
      input_uncached: numberAttribute(attributes, 'input_tokens'),
      cache_read: numberAttribute(attributes, 'cache_read_tokens'),
      cache_write: numberAttribute(attributes, 'cache_creation_tokens'),
      output: numberAttribute(attributes, 'output_tokens'),
    },
    cost_usd: costOf(attributes),
    latency_ms: latencyOrNone(numberAttribute(attributes, 'duration_ms')),
    reporter: 'agent',
  };
}

/** What an old record says of its request, in the order in which it enters the identity. */
const REQUEST_FACTS = [
  'event.name',
  'model',
  'input_tokens',
  'output_tokens',
  'cache_read_tokens',
  'cache_creation_tokens',
  'cost_usd',
  'duration_ms',
  'status_code',
  'attempt',
  'error',
];

/**
 * Session, installation, position in the session and time name a record; what the process sends twice is then one event.
 * Old versions (2.0.77) do not number their records, and requests that run side by side end in the same millisecond. There the facts of
 * the request tell records apart: facts rather than all attributes, because a collector in between may add some or change the encoding.
 */
function identityOf({ attributes, time }: LogRecord): string {
  const parts = ['session.id', 'user.id', 'event.sequence', 'event.timestamp'].map(
    (key) => attributes.get(key) ?? null,
  );
  const rest = parts[2] === null ? [time, ...REQUEST_FACTS.map((key) => textAttribute(attributes, key) ?? null)] : [];
  return hash('sha256', JSON.stringify([...parts, ...rest]), 'hex');
}

/**
 * The key behind the request. Claude Code itself never names it: `apikey.*` are attributes that its user adds. Signed in by
 * account it sends the account's attributes and uses no key; through a cloud it uses the cloud's own credentials.
 * Neither means that it runs on an API key which nothing names, so the event is `api_key` without an identity, and shows
 * as unattributed rather than as use without a key.
 */
function credentialOf(attributes: Attributes): JsonObject {
  const named = namedKeyOf(attributes);
  const backend = textAttribute(attributes, 'anthropic.provider');
  const throughCloud = backend !== undefined && Object.hasOwn(CLOUDS, backend);
  // The shell may hold an Anthropic key that the user's lines name, but through a cloud it stays unused.
  if (throughCloud && String(named?.hint).startsWith('sk-ant-')) return { kind: 'none' };
  if (named !== undefined) return named;
  const account = textAttribute(attributes, 'organization.id', 'user.account_uuid', 'user.account_id', 'user.email');
  if (account !== undefined) return { provider: 'anthropic', kind: 'oauth' };
  return { kind: throughCloud ? 'none' : 'api_key' };
}

/** Values of `anthropic.provider` other than the first party, as we call the places. */
const CLOUDS: Record<string, string> = { bedrock: 'bedrock', vertex: 'vertex', foundry: 'azure' };

const servedBy = (backend: string | undefined): string | undefined =>
  backend !== undefined && Object.hasOwn(CLOUDS, backend) ? CLOUDS[backend] : undefined;

/** Micro-dollars are exact; the amount in dollars carries binary rounding (0.005699999999999999) and is rounded to 9 places. */
function costOf(attributes: Attributes): string | number | undefined {
  const micros = numberAttribute(attributes, 'cost_usd_micros');
  if (micros !== undefined && Number.isSafeInteger(micros) && micros >= 0) {
    return `${Math.floor(micros / 1e6)}.${String(micros % 1e6).padStart(6, '0')}`;
  }
  return micros ?? numberAttribute(attributes, 'cost_usd');
}
