import { failureOf } from '../../normalise/outcome.ts';
import {
  actionOf,
  firstNumber,
  firstText,
  isoTime,
  keyOfHeaders,
  pathOf,
  providerOfHost,
  statusOrNone,
} from '../access-log.ts';
import type { Decoded } from '../format.ts';
import type { JsonObject } from '../json-body.ts';
import { latencyOrNone } from '../latency.ts';
import { identityOfFacts, recordFormat, type RecordMapper } from '../record.ts';

/**
 * Access logs of nginx in JSON (`log_format … escape=json`), fields named as nginx's variables. There are no tokens in them: they show who
 * uses which key where.
 */
export const nginxMapper: RecordMapper = {
  name: 'nginx',
  claims: (record) =>
    typeof record.remote_addr === 'string' &&
    record.status !== undefined &&
    (record.request !== undefined || record.request_uri !== undefined || record.uri !== undefined),
  *map(record): Generator<Decoded> {
    yield { kind: 'event', input: eventOf(record) };
  },
};

export const nginxFormat = recordFormat(nginxMapper, {
  path: '/v1/nginx',
  summary: 'nginx access logs in JSON',
  description: 'Records of a log_format with escape=json whose fields are named as nginx’s variables.',
});

function eventOf(record: JsonObject): JsonObject {
  const [requestMethod, requestTarget] = (firstText(record, 'request') ?? '').split(' ');
  const status = statusOrNone(firstNumber(record, 'status'));
  const path = pathOf(firstText(record, 'request_uri', 'uri') ?? requestTarget);
  const requestId = firstText(record, 'request_id');
  const seconds = firstNumber(record, 'msec');
  const took = firstNumber(record, 'request_time');
  const facts = [
    'time_iso8601',
    'msec',
    'remote_addr',
    'remote_port',
    'connection',
    'request',
    'request_uri',
    'status',
  ];
  return {
    source: 'nginx',
    id: identityOfFacts(requestId, ...facts.map((name) => record[name]), record.request_time, record.bytes_sent),
    time: isoTime(seconds === undefined ? undefined : seconds * 1000) ?? firstText(record, 'time_iso8601', 'time'),
    credential: credentialOf(record),
    user: firstText(record, 'remote_user'),
    ip: firstText(record, 'remote_addr'),
    agent: { name: firstText(record, 'http_user_agent') },
    session: firstText(record, 'http_x_claude_code_session_id', 'http_session_id', 'http_x_session_id'),
    request_id: firstText(record, 'upstream_http_request_id', 'upstream_http_x_request_id', 'request_id'),
    provider: providerOfHost(firstText(record, 'proxy_host', 'upstream_host', 'host')),
    action: actionOf(path),
    operation: [firstText(record, 'request_method') ?? requestMethod, path].filter(Boolean).join(' '),
    outcome: status === undefined || status >= 400 ? failureOf(status) : 'success',
    status_code: status,
    latency_ms: latencyOrNone(took === undefined ? undefined : took * 1000),
    reporter: 'proxy',
  };
}

/** Computed by nginx (njs) or, against all advice, the header itself, which becomes fingerprint and hint here. */
function credentialOf(record: JsonObject): JsonObject | undefined {
  const fingerprint = firstText(record, 'apikey_fingerprint');
  const hint = firstText(record, 'apikey_hint');
  if (fingerprint !== undefined || hint !== undefined) return { fingerprint, hint, kind: 'api_key' };
  return keyOfHeaders({
    'x-api-key': record.http_x_api_key,
    'api-key': record.http_api_key,
    'x-goog-api-key': record.http_x_goog_api_key,
    authorization: record.http_authorization,
  });
}
