import { failureOf } from '../../normalise/outcome.ts';
import {
  actionOf,
  firstNumber,
  firstText,
  headersOf,
  isoTime,
  keyOfHeaders,
  pathOf,
  SESSION_HEADERS,
  statusOrNone,
  textOrNone,
} from '../access-log.ts';
import type { Decoded } from '../format.ts';
import { isJsonObject, type JsonObject, objectIn } from '../json-body.ts';
import { latencyOrNone } from '../latency.ts';
import { tokensOfUsage } from '../provider-usage.ts';
import { identityOfFacts, recordFormat, type RecordMapper } from '../record.ts';

/**
 * Records of Kong's logging plugins (http-log, file-log). Each AI plugin of a request that asked a model is one event, a request without
 * one is an access. Payloads are never read.
 */
export const kongMapper: RecordMapper = {
  name: 'kong',
  claims: (record) => isJsonObject(record.latencies) && isJsonObject(record.request) && isJsonObject(record.response),
  *map(record): Generator<Decoded> {
    const common = commonOf(record);
    const calls = callsOf(objectIn(record, 'ai'));
    if (calls.length === 0) yield { kind: 'event', input: { ...common, id: identityOf(record) } };
    for (const [plugin, call] of calls) {
      yield { kind: 'event', input: { ...common, ...eventOfCall(call), id: identityOf(record, plugin) } };
    }
  },
};

export const kongFormat = recordFormat(kongMapper, {
  path: '/v1/kong',
  summary: 'Kong Gateway logs (http-log plugin)',
  description: 'One record or an array, as http-log posts them. AI plugins tell model, tokens and cost.',
});

/** The AI plugins that asked a model, by name. */
const callsOf = (ai: JsonObject): [string, JsonObject][] =>
  Object.entries(ai).filter(
    (entry): entry is [string, JsonObject] =>
      isJsonObject(entry[1]) && (isJsonObject(entry[1].usage) || isJsonObject(entry[1].meta)),
  );

/** A request id is the gateway's own, and repeats after 2^64; with the time and the plugin it does not. */
function identityOf(record: JsonObject, plugin?: string): string {
  const requestId = firstText(objectIn(record, 'request'), 'id');
  const facts = [requestId, record.started_at, plugin];
  return requestId === undefined
    ? identityOfFacts(...facts, record.client_ip, record.latencies)
    : identityOfFacts(...facts);
}

function commonOf(record: JsonObject): JsonObject {
  const request = objectIn(record, 'request');
  const latencies = objectIn(record, 'latencies');
  const headers = headersOf(request.headers);
  const consumer = objectIn(record, 'consumer');
  const status = statusOrNone(firstNumber(objectIn(record, 'response'), 'status'));
  const started = firstNumber(record, 'started_at');
  const took = firstNumber(latencies, 'request');
  const path = pathOf(firstText(request, 'uri', 'url'));
  return {
    source: 'kong',
    time: isoTime(started === undefined ? undefined : started + Math.max(0, took ?? 0)),
    credential: credentialOf(record, headers),
    org: textOrNone(record.workspace_name),
    user: firstText(consumer, 'username', 'custom_id', 'id'),
    ip: textOrNone(record.client_ip),
    agent: { name: firstText(headers, 'user-agent') },
    session: firstText(headers, ...SESSION_HEADERS),
    request_id: firstText(request, 'id'),
    module: firstText(objectIn(record, 'service'), 'name'),
    action: actionOf(path),
    operation: [textOrNone(request.method), path].filter((part) => part !== undefined).join(' '),
    outcome: status !== undefined && status >= 400 ? failureOf(status) : 'success',
    status_code: status,
    latency_ms: latencyOrNone(took),
    reporter: 'proxy',
  };
}

function eventOfCall(call: JsonObject): JsonObject {
  const meta = objectIn(call, 'meta');
  const usage = objectIn(call, 'usage');
  const cost = firstNumber(usage, 'cost');
  return {
    action: 'execution',
    provider: firstText(meta, 'provider_name'),
    model: firstText(meta, 'response_model', 'request_model'),
    tokens: tokensOfUsage(usage),
    // 0 stands for a model without a price in Kong's configuration.
    cost_usd: cost === 0 ? undefined : cost,
  };
}

/** The key that the client presented, else the credential by which Kong knew it, whose id is a label and no fingerprint. */
function credentialOf(record: JsonObject, headers: JsonObject): JsonObject | undefined {
  const entity = objectIn(record, 'authenticated_entity');
  // Old versions log the key of the credential itself.
  const key = keyOfHeaders({ 'x-api-key': entity.key }) ?? keyOfHeaders(headers);
  const label = firstText(objectIn(record, 'consumer'), 'username') ?? firstText(entity, 'id', 'consumer_id');
  if (key === undefined && label === undefined) return undefined;
  return { ...key, ...(label === undefined ? {} : { hint: label }), provider: 'kong', kind: 'api_key' };
}
