import { failureOf } from '../../normalise/outcome.ts';
import {
  actionOf,
  firstAddress,
  firstNumber,
  firstText,
  headersOf,
  keyOfHeaders,
  pathOf,
  providerOfHost,
  SESSION_HEADERS,
  statusOrNone,
} from '../access-log.ts';
import type { Decoded } from '../format.ts';
import type { JsonObject } from '../json-body.ts';
import { latencyOrNone } from '../latency.ts';
import { identityOfFacts, recordFormat, type RecordMapper } from '../record.ts';
import { disjointTokens } from '../token-counts.ts';

/**
 * Access logs of Envoy and the Envoy AI Gateway as JSON, by the field names of its documentation; a dash or null stands for what is not
 * there. Calls of MCP servers are accesses.
 */
export const envoyMapper: RecordMapper = {
  name: 'envoy',
  claims: (record) => record.response_code !== undefined && record.start_time !== undefined,
  *map(record): Generator<Decoded> {
    yield { kind: 'event', input: eventOf(record) };
  },
};

export const envoyFormat = recordFormat(envoyMapper, {
  path: '/v1/envoy',
  summary: 'Envoy (AI Gateway) access logs',
  description: 'JSON access log records with the fields of the Envoy AI Gateway documentation (genai_*, mcp_*).',
});

function eventOf(record: JsonObject): JsonObject {
  const status = statusOrNone(firstNumber(record, 'response_code'));
  const path = pathOf(firstText(record, 'x-envoy-origin-path', 'path', ':path'));
  const model = firstText(record, 'genai_model_name', 'genai_model_name_override');
  const mcpMethod = firstText(record, 'mcp_method');
  const requestId = firstText(record, 'x-request-id');
  return {
    source: 'envoy',
    // Clients may set the request id, so the time belongs to it.
    id:
      requestId === undefined
        ? identityOfFacts(...Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)))
        : identityOfFacts(requestId, record.start_time),
    time: firstText(record, 'start_time'),
    credential: keyOfHeaders(headersOf(record)),
    user: firstText(record, 'user', 'x-user-id', 'jwt_sub'),
    ip: firstAddress(firstText(record, 'x-forwarded-for', 'downstream_remote_address')),
    agent: { name: firstText(record, 'user-agent', 'user_agent') },
    session: firstText(record, 'session_id', ...SESSION_HEADERS, 'mcp_session_id'),
    request_id: requestId,
    provider: firstText(record, 'genai_provider') ?? providerOfHost(firstText(record, ':authority', 'upstream_host')),
    model,
    module: firstText(record, 'mcp_backend', 'genai_backend_name'),
    action: model === undefined ? actionOf(path) : 'execution',
    operation:
      mcpMethod === undefined
        ? [firstText(record, 'method', ':method'), path].filter((part) => part !== undefined).join(' ')
        : `mcp:${mcpMethod}`,
    outcome: status === undefined || status >= 400 ? failureOf(status) : 'success',
    status_code: status,
    tokens: disjointTokens(
      {
        input: firstNumber(record, 'genai_tokens_input'),
        cacheRead: firstNumber(record, 'genai_tokens_cached_input'),
        cacheWrite: firstNumber(record, 'genai_tokens_cache_creation_input'),
        output: firstNumber(record, 'genai_tokens_output'),
        total: firstNumber(record, 'genai_tokens_total'),
      },
      'inclusive',
    ),
    latency_ms: latencyOrNone(firstNumber(record, 'duration')),
    reporter: 'proxy',
  };
}
