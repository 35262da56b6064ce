import { hash } from 'node:crypto';
import { failureOf } from '../../normalise/outcome.ts';
import type { JsonObject } from '../json-body.ts';
import { latencyOrNone } from '../latency.ts';
import { type Attributes, numberAttribute, textAttribute } from '../otlp/attributes.ts';
import { isoTimeOf, namedKeyOf, placeOf } from '../otlp/common.ts';
import type { LogRecord, LogRecordMapper } from '../otlp/log-record.ts';
import { disjointTokens } from '../token-counts.ts';

const PREFIX = 'gemini_cli.';
/** Tells of the same call once more, with the system prompt in it. */
const SAME_CALL = 'gen_ai.client.inference.operation.details';

/** Records that are no request: counted by these names, anything else as `other`. */
const OTHER_EVENTS = new Set([
  'api_request',
  'chat_compression',
  'config',
  'conversation_finished',
  'file_operation',
  'flash_fallback',
  'model_routing',
  'next_speaker_check',
  'ripgrep_fallback',
  'slash_command',
  'startup_stats',
  'tool_call',
  'tool_output_truncated',
  'user_prompt',
]);

/**
 * Log records of Gemini CLI (captured from 0.61.0): `api_response` and `api_error` become events. Its metrics are running sums of the
 * same calls, and its spans and `gen_ai.*` records tell of them again.
 */
export const geminiCliMapper: LogRecordMapper = {
  name: 'gemini-cli',
  claims: ({ resource, scopeName, eventName }) =>
    eventName.startsWith(PREFIX) ||
    scopeName === 'gemini-cli' ||
    textAttribute(resource, 'service.name') === 'gemini-cli',
  map(record, clientAddress) {
    const name = record.eventName.startsWith(PREFIX) ? record.eventName.slice(PREFIX.length) : record.eventName;
    if (name === 'api_response' || name === 'api_error') {
      return { kind: 'event', input: eventOf(record, name, clientAddress) };
    }
    const what = name === SAME_CALL ? 'genai_details' : OTHER_EVENTS.has(name) ? name : 'other';
    return { kind: 'ignored', what, count: 1 };
  },
};

function eventOf(record: LogRecord, name: 'api_response' | 'api_error', clientAddress: string): JsonObject {
  const { attributes, resource } = record;
  const text = (...keys: string[]) => textAttribute(attributes, ...keys);
  const statusCode = numberAttribute(attributes, 'status_code', 'http.status_code');
  const role = text('role');
  return {
    source: 'gemini-cli',
    id: identityOf(record),
    time: isoTimeOf(record.time) ?? text('event.timestamp'),
    credential: credentialOf(attributes),
    user: text('user.email', 'enduser.id', 'installation.id'),
    ip: clientAddress,
    ...placeOf(attributes),
    agent: { name: 'gemini-cli', version: versionOf(resource) },
    session: text('session.id'),
    provider: 'google',
    model: text('model'),
    action: 'execution',
    operation: role === undefined ? name : `${name}:${role}`,
    outcome: name === 'api_response' ? 'success' : failureOf(statusCode),
    // An error without an answer has a text of Node's here, such as ECONNRESET.
    status_code: statusCode !== undefined && statusCode >= 100 && statusCode <= 999 ? statusCode : undefined,
    tokens: name === 'api_response' ? tokensOf(attributes) : undefined,
    latency_ms: latencyOrNone(numberAttribute(attributes, 'duration_ms')),
    reporter: 'agent',
  };
}

/**
 * Google counts the cache as input, but thoughts and what tools added neither as output nor as input. The sum tells which of the two it
 * holds, so that a version that counts them inside does not count them twice.
 */
function tokensOf(attributes: Attributes): JsonObject | undefined {
  const number = (key: string) => numberAttribute(attributes, key) ?? 0;
  const input = number('input_token_count');
  const output = number('output_token_count');
  const thoughts = number('thoughts_token_count');
  const tools = number('tool_token_count');
  const total = numberAttribute(attributes, 'total_token_count') ?? input + output + thoughts + tools;
  const rest = Math.max(0, total - input - output);
  const toolsOutside = rest >= thoughts + tools ? tools : 0;
  return disjointTokens(
    {
      input: input + toolsOutside,
      cacheRead: number('cached_content_token_count'),
      output: output + Math.min(thoughts, rest - toolsOutside),
    },
    'inclusive',
  );
}

/** Prompt and time name a call; the model and the counts tell apart what runs side by side. */
const FACTS = [
  'session.id',
  'prompt_id',
  'event.timestamp',
  'event.name',
  'model',
  'role',
  'input_token_count',
  'output_token_count',
  'duration_ms',
  'status_code',
];

const identityOf = ({ attributes, time }: LogRecord) =>
  hash('sha256', JSON.stringify([time, ...FACTS.map((key) => textAttribute(attributes, key) ?? null)]), 'hex');

/** `service.version` is that of Node (0.61.0 says v20.20.2), unless a later version puts its own there. */
function versionOf(resource: Attributes): string | undefined {
  const version = textAttribute(resource, 'service.version');
  const ofNode = textAttribute(resource, 'process.runtime.version');
  return version === undefined || version.startsWith('v') || version === ofNode ? undefined : version;
}

function credentialOf(attributes: Attributes): JsonObject {
  const named = namedKeyOf(attributes);
  if (named !== undefined) return named;
  const type = textAttribute(attributes, 'auth_type') ?? '';
  if (type.startsWith('oauth')) return { provider: 'google', kind: 'oauth' };
  // The cloud's own credentials, which are no key.
  if (/^(vertex|cloud|compute)/.test(type)) return { kind: 'none' };
  return { kind: 'api_key' };
}
