import type { IncomingHttpHeaders } from 'node:http';
import { fingerprintOf, hintOf } from '../../contract/index.ts';

/** What a request's key is known by from here on; the key itself is passed on and kept nowhere. */
export type PresentedKey =
  | { kind: 'api_key'; fingerprint: string; hint: string }
  /** A token of somebody who signed in. It changes every few hours, so that its fingerprint would name nothing. */
  | { kind: 'oauth' }
  | { kind: 'none' };

/** Headers in which the providers take a key, in the order in which they look. */
const KEY_HEADERS = ['x-api-key', 'x-goog-api-key', 'api-key'] as const;
/** Anthropic's OAuth tokens, Google's, and signed tokens (JWT), which ChatGPT's sign-in gives. */
const OAUTH_TOKEN = /^(?:sk-ant-oat\d\d-|ya29\.|eyJ[\w-]+\.)/;

/**
 * The key that a request carries.
 * @param target path and query; Google takes a key as `?key=`
 */
export function presentedKey(headers: IncomingHttpHeaders, target: string): PresentedKey {
  const key = keyIn(headers, target);
  if (key === '') return { kind: 'none' };
  if (OAUTH_TOKEN.test(key)) return { kind: 'oauth' };
  return { kind: 'api_key', fingerprint: fingerprintOf(key), hint: hintOf(key) };
}

function keyIn(headers: IncomingHttpHeaders, target: string): string {
  for (const name of KEY_HEADERS) {
    const value = headers[name];
    if (typeof value === 'string' && value.trim() !== '') return value.trim();
  }
  const bearer = /^bearer +(\S+)/i.exec(headers.authorization ?? '')?.[1];
  if (bearer !== undefined) return bearer;
  const query = target.indexOf('?');
  return query === -1 ? '' : (new URLSearchParams(target.slice(query)).get('key') ?? '');
}
