import { hash } from 'node:crypto';
import { failureOf } from '../../normalise/outcome.ts';
import { firstAddress } from '../access-log.ts';
import type { Decoded, DecodeContext, HttpFormat } from '../format.ts';
import { isJsonObject, JSON_LINES_TYPES, type JsonObject, objectIn, textIn, valuesOfBody } from '../json-body.ts';
import { latencyOrNone } from '../latency.ts';

/**
 * LiteLLM's `generic_api` callback: a JSON array, lines, or one object, always as `application/json`. Takes its StandardLoggingPayload and
 * the SpendLogs row, which differ in where things stand. Messages, responses and tracebacks are never read.
 */
export const litellmFormat: HttpFormat = {
  name: 'litellm',
  path: '/v1/litellm',
  summary: 'LiteLLM webhook (generic_api callback)',
  description:
    'StandardLoggingPayload or SpendLogs rows: one object, an array, or lines. The virtual key is named by its SHA-256, which LiteLLM stores as its own hash.',
  mediaTypes: ['application/json', ...JSON_LINES_TYPES],
  answer: 'counts',
  invalidFingerprint: 'drop',
  *decode(body: Buffer, context: DecodeContext): Generator<Decoded> {
    for (const parsed of valuesOfBody(body, context.mediaType)) {
      if (!parsed.ok) yield { kind: 'rejected', error: { path: '', message: parsed.message } };
      else if (!isJsonObject(parsed.value)) yield { kind: 'event', input: parsed.value };
      else if (isVersion1(parsed.value)) yield { kind: 'rejected', error: VERSION_1_FAULT };
      else yield { kind: 'event', input: eventOf(parsed.value) };
    }
  },
};

/**
 * The payload that `generic_api_use_v1` brings back: every value as Python prints it. Key, tokens and messages stand in such texts, which
 * are no JSON, and failures are not sent at all. Taken as it is, it would be use by nobody at no cost.
 */
const isVersion1 = (payload: JsonObject) => Object.hasOwn(payload, 'modelParameters');

const VERSION_1_FAULT = {
  path: 'modelParameters',
  message:
    'belongs to the old payload of LiteLLM, which names neither key nor tokens in a form that can be read: take generic_api_use_v1 out of litellm_settings',
};

function eventOf(payload: JsonObject): JsonObject {
  const metadata = objectOrText(payload.metadata);
  const requester = objectOrText(metadata.requester_metadata);
  const tags = tagsOf(payload.request_tags);
  const id = textIn(payload, 'id') ?? textIn(payload, 'request_id');
  const endUser = endUserOf(payload, metadata);
  const keyUsers = [
    textIn(metadata, 'user_api_key_user_email'),
    textIn(metadata, 'user_api_key_user_id'),
    textIn(payload, 'user'),
  ];
  const start = millisecondsOf(payload.startTime);
  const end = millisecondsOf(payload.endTime) ?? start;
  const status = numberOf(objectOrText(payload.error_information ?? metadata.error_information).error_code);
  const failed = payload.status === 'failure' || metadata.status === 'failure';
  return {
    source: 'litellm',
    id: id === undefined ? undefined : identityOf(id, payload),
    time: end === null ? undefined : new Date(end).toISOString(),
    credential: credentialOf(payload, metadata),
    org: textIn(metadata, 'user_api_key_org_id') ?? textIn(payload, 'organization_id'),
    user:
      keyUsers.find((user) => user !== undefined && user !== MASTER_KEY_USER) ??
      endUser.user ??
      keyUsers.find((user) => user !== undefined),
    ip: firstAddress(textIn(payload, 'requester_ip_address') ?? textIn(metadata, 'requester_ip_address')),
    agent: { name: textIn(metadata, 'user_agent') ?? textIn(requester, 'user_agent') },
    session: textIn(payload, 'session_id') ?? endUser.session ?? textIn(payload, 'trace_id'),
    request_id: providerRequestId(payload),
    response_id: id,
    repo: textIn(requester, 'repo') ?? textIn(requester, 'repository') ?? tags.get('repo') ?? tags.get('repository'),
    branch: textIn(requester, 'branch') ?? tags.get('branch'),
    provider: textIn(payload, 'custom_llm_provider'),
    model: textIn(payload, 'model'),
    environment: textIn(requester, 'environment') ?? tags.get('environment') ?? tags.get('env'),
    operation: operationOf(payload),
    outcome: failed ? failureOf(status) : 'success',
    // A status of success says nothing of a failure, and LiteLLM reports some with 200.
    status_code: failed && status !== null && status >= 400 && status <= 999 ? status : undefined,
    tokens: fromOwnCache(payload) ? undefined : tokensOf(payload, metadata),
    cost_usd: costOf(payload, failed),
    latency_ms: latencyOf(payload, start, end),
    reporter: 'proxy',
  };
}

/**
 * `id` alone names no event: it is what the upstream answered with, which small servers never change, or the call id, which any client
 * may set by a header and a fallback takes over. With start and end, which the proxy takes to the microsecond, it does; a repeated
 * post carries the same ones.
 */
function identityOf(id: string, { startTime, endTime }: JsonObject): string {
  if (startTime === undefined && endTime === undefined) return id;
  return hash('sha256', JSON.stringify([id, startTime ?? null, endTime ?? null]), 'hex');
}

/** The request id that the upstream gave, which agents report too; streams often come without. */
function providerRequestId(payload: JsonObject): string | undefined {
  const headers = objectIn(objectIn(payload, 'hidden_params'), 'additional_headers');
  return textIn(headers, 'llm_provider-request-id') ?? textIn(headers, 'llm_provider-x-request-id');
}

/**
 * The cost in dollars; none where LiteLLM says 0 because the request failed or because it could not work it out, such as for a model
 * it has no price of: that would stand in every sum as a request that was free.
 */
function costOf(payload: JsonObject, failed: boolean): number | undefined {
  const cost = numberOf(payload.response_cost) ?? numberOf(payload.spend) ?? undefined;
  const isUnknown = failed || isJsonObject(payload.response_cost_failure_debug_info);
  return cost === 0 && isUnknown ? undefined : cost;
}

/** LiteLLM repeats the tokens of the first answer when it gives that again from its own cache, where none were used. */
const fromOwnCache = ({ cache_hit: hit }: JsonObject) => hit === true || hit === 'True';

/** The kind of call; an answer from the proxy's cache says so, because no provider has seen that request. */
function operationOf(payload: JsonObject): string | undefined {
  const type = textIn(payload, 'call_type');
  return type !== undefined && fromOwnCache(payload) ? `${type}:cache_hit` : type;
}

/** The user that LiteLLM writes where a request came with the master key, whoever sent it. */
const MASTER_KEY_USER = 'default_user_id';

/** What 1.109 puts in place of the master key's hash, which 1.83 still reported. */
const MASTER_KEY_NAME = 'litellm_proxy_master_key';

/**
 * Who the client says is behind the request. Claude Code packs installation, account and session into this one text (as JSON, versions of
 * 2025 as `user_…_account_…_session_…`); taken whole, each of its sessions would be one more user of the key.
 */
function endUserOf(payload: JsonObject, metadata: JsonObject): { user?: string; session?: string } {
  const text = textIn(payload, 'end_user') ?? textIn(metadata, 'user_api_key_end_user_id');
  if (text === undefined) return {};
  const packed = /^user_([0-9a-f]{64})_account_([\w-]*?)_session_([\w-]{1,64})$/.exec(text);
  const parts: JsonObject =
    packed !== null
      ? { device_id: packed[1], account_uuid: packed[2], session_id: packed[3] }
      : objectOrText(text.startsWith('{') ? text : undefined);
  const session = textIn(parts, 'session_id');
  return {
    user: textIn(parts, 'account_uuid') ?? textIn(parts, 'device_id') ?? text,
    ...(session === undefined ? {} : { session }),
  };
}

/**
 * LiteLLM's hash is the plain SHA-256 of the virtual key, which is our fingerprint. The alias that its owner gave the key goes into
 * `hint`, masked or not: hints are labels, people know the key by this one, and it decides the lane only where the hash is missing.
 */
function credentialOf(payload: JsonObject, metadata: JsonObject): JsonObject | undefined {
  const fingerprint =
    textIn(metadata, 'user_api_key_hash') ?? textIn(metadata, 'user_api_key') ?? textIn(payload, 'api_key');
  const hint = textIn(metadata, 'user_api_key_alias');
  if (fingerprint === MASTER_KEY_NAME) {
    return { hint: hint ?? fingerprint, provider: 'litellm', kind: 'api_key' };
  }
  if (fingerprint === undefined && hint === undefined) return undefined;
  return { fingerprint, hint, provider: 'litellm', kind: 'api_key' };
}

/**
 * `prompt_tokens` holds the cached tokens too, as OpenAI counts; where the cache alone is more, it comes from a version that passes on
 * Anthropic's counts, which exclude it. `usage_object` is the provider's own: chat completions, responses, messages and Gemini each call
 * the same counts otherwise.
 */
function tokensOf(payload: JsonObject, metadata: JsonObject): JsonObject {
  const usage = objectIn(metadata, 'usage_object');
  const details = { ...objectIn(usage, 'input_tokens_details'), ...objectIn(usage, 'prompt_tokens_details') };
  const first = (...counts: unknown[]) => counts.map(numberOf).find((count) => count !== null) ?? 0;
  const prompt = first(payload.prompt_tokens, usage.prompt_tokens, usage.input_tokens, usage.promptTokenCount);
  const cacheRead = first(
    usage.cache_read_input_tokens,
    details.cached_tokens,
    usage.cachedContentTokenCount,
    usage.cached_content_token_count,
  );
  const cacheWrite = first(
    usage.cache_creation_input_tokens,
    details.cache_creation_tokens,
    details.cache_write_tokens,
  );
  const cached = cacheRead + cacheWrite;
  return {
    input_uncached: cached <= prompt ? prompt - cached : prompt,
    cache_read: cacheRead,
    cache_write: cacheWrite,
    output: first(payload.completion_tokens, usage.completion_tokens, usage.output_tokens, usage.candidatesTokenCount),
  };
}

function latencyOf(payload: JsonObject, start: number | null, end: number | null): number | undefined {
  const seconds = numberOf(payload.response_time);
  return latencyOrNone(seconds !== null ? seconds * 1000 : start !== null && end !== null ? end - start : null);
}

/** `repo:payments-api` and `env=production` as a table; other tags are left out. */
function tagsOf(value: unknown): Map<string, string> {
  const list = typeof value === 'string' ? parsed(value) : value;
  const tags = new Map<string, string>();
  if (!Array.isArray(list)) return tags;
  for (const tag of list.slice(0, 64)) {
    const pair = typeof tag === 'string' ? /^([A-Za-z_]{1,32})[:=](.{1,512})$/.exec(tag) : null;
    if (pair !== null) tags.set(pair[1]!.toLowerCase(), pair[2]!.trim());
  }
  return tags;
}

/** SpendLogs holds objects as JSON text. */
function objectOrText(value: unknown): JsonObject {
  const object = typeof value === 'string' ? parsed(value) : value;
  return isJsonObject(object) ? object : {};
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** A number, also as text, as error codes are; null for anything else, such as "None". */
function numberOf(value: unknown): number | null {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : null;
}

/** Epoch seconds as number or text, RFC 3339, or Python's text without a zone, which LiteLLM writes in UTC. */
function millisecondsOf(value: unknown): number | null {
  const seconds = numberOf(value);
  if (seconds !== null) return inRange(Math.round(seconds * 1000));
  if (typeof value !== 'string') return null;
  const iso = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:?\d\d)?$/.exec(value.trim());
  if (iso === null) return null;
  const [, date, time, fraction = '', zone = 'Z'] = iso;
  return inRange(Date.parse(`${date}T${time}${fraction}${zone}`));
}

/** Years that RFC 3339 can write; NaN and everything beyond is no time. */
const inRange = (milliseconds: number) =>
  milliseconds >= -62_167_219_200_000 && milliseconds <= 253_402_300_799_999 ? milliseconds : null;
