import { fingerprintOf, hintOf } from '../../contract/index.ts';
import { wholeApiKey } from '../redact/redact.ts';
import { isJsonObject, type JsonObject } from './json-body.ts';

/** Log formats write a dash for what is not there. */
export function textOrNone(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value !== '-' ? value : undefined;
}

/** The first of several fields that holds a text. */
export function firstText(object: JsonObject, ...names: string[]): string | undefined {
  for (const name of names) {
    const text = textOrNone(object[name]);
    if (text !== undefined) return text;
  }
  return undefined;
}

/** The first of several fields that holds a number, also when it is written as a text. */
export function firstNumber(object: JsonObject, ...names: string[]): number | undefined {
  for (const name of names) {
    const value = object[name];
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
    if (typeof number === 'number' && Number.isFinite(number)) return number;
  }
  return undefined;
}

/** Headers by their names in lower case; of a header that repeats the first value counts. */
export function headersOf(value: unknown): JsonObject {
  if (!isJsonObject(value)) return {};
  return Object.fromEntries(
    Object.entries(value).map(([name, header]) => [
      name.toLowerCase(),
      Array.isArray(header) ? (header[0] as unknown) : header,
    ]),
  );
}

/** Request headers in which providers and gateways take a key. */
const KEY_HEADERS = ['x-api-key', 'api-key', 'apikey', 'x-goog-api-key', 'authorization'];
const KEY_CHARS_MIN = 8;

/**
 * The key in a request header that a gateway logs in the clear, as fingerprint and hint; it never goes further. What is masked already
 * (`REDACTED`, stars, dots) and passwords of other schemes name no key.
 */
export function keyOfHeaders(headers: JsonObject): JsonObject | undefined {
  const named = firstText(headers, ...KEY_HEADERS)?.trim();
  const value = named?.replace(/^bearer +/i, '');
  if (value === undefined || value.length < KEY_CHARS_MIN || /^redacted$|\*{3}|\.{3}|\s/i.test(value)) return undefined;
  // Of a known form the normaliser hashes it and notes so on the event.
  if (wholeApiKey(value) !== null) return { fingerprint: value, kind: 'api_key' };
  return { fingerprint: fingerprintOf(value), hint: hintOf(value), kind: 'api_key' };
}

/** Headers by which clients name their session. */
export const SESSION_HEADERS = ['x-claude-code-session-id', 'session-id', 'session_id', 'x-session-id', 'thread-id'];

/** Behind proxies the field holds the whole chain; the client comes first. */
export const firstAddress = (addresses: string | undefined) => addresses?.split(',', 1)[0]?.trim();

/** The path of a target without what stands behind it: a query may hold a key. */
export const pathOf = (target: string | undefined) => target?.replace(/^https?:\/\/[^/?#]*/i, '').split(/[?#]/, 1)[0];

/** Paths on which the providers answer requests of models. */
const MODEL_PATHS =
  /\/(messages|chat\/completions|completions|responses|embeddings|images\/generations|audio\/\w+|invoke|invoke-with-response-stream|converse|converse-stream)$|:(streamG|g)enerateContent$|:embedContent$/;

/** A request of a model runs something; any other one reads or changes something. */
export const actionOf = (path: string | undefined) => (MODEL_PATHS.test(path ?? '') ? 'execution' : 'access');

/** Hosts of the providers' APIs. */
const PROVIDER_HOSTS: readonly (readonly [RegExp, string])[] = [
  [/(^|\.)anthropic\.com$/, 'anthropic'],
  [/(^|\.)openai\.azure\.com$/, 'azure'],
  [/(^|\.)openai\.com$/, 'openai'],
  [/(^|\.)googleapis\.com$/, 'google'],
  [/^bedrock[\w-]*\..*amazonaws\.com$/, 'aws'],
];

/** The provider whose API a host, with or without port, is. */
export function providerOfHost(host: string | undefined): string | undefined {
  const name = (host ?? '').toLowerCase().replace(/:\d+$/, '');
  return PROVIDER_HOSTS.find(([pattern]) => pattern.test(name))?.[1];
}

/** Epoch milliseconds as RFC 3339, where a calendar has them. */
export function isoTime(milliseconds: number | undefined): string | undefined {
  if (milliseconds === undefined || !(Math.abs(milliseconds) < 8.64e15)) return undefined;
  const text = new Date(Math.round(milliseconds)).toISOString();
  return /^\d{4}-/.test(text) ? text : undefined;
}

/** An HTTP status, or nothing for what cannot be one. */
export const statusOrNone = (status: number | undefined) =>
  status !== undefined && Number.isInteger(status) && status >= 100 && status <= 999 ? status : undefined;
