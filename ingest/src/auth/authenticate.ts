import type { IncomingHttpHeaders } from 'node:http';
import { fingerprintOf } from '../../contract/index.ts';
import { ApiProblem } from '../problem.ts';
import type { CollectorCredential, CredentialView } from './credentials.ts';

/** No key we accept is longer; hashing more would only serve an attacker. */
const KEY_CHARS_MAX = 512;

const CHALLENGE = { 'www-authenticate': 'Bearer realm="lanewatch"' };

/**
 * The key as presented: `Authorization: Bearer …`, or as the password of `Basic`, for programs that can send nothing else (Langfuse's SDKs, log
 * shippers); else `x-api-key`; '' when there is none.
 */
function presentedKey(headers: IncomingHttpHeaders): string {
  const authorization = headers.authorization;
  if (authorization !== undefined) {
    const bearer = /^bearer +(\S+) *$/i.exec(authorization)?.[1];
    if (bearer !== undefined) return bearer;
    const basic = /^basic +([\w+/=-]{1,1024}) *$/i.exec(authorization)?.[1];
    const password = basic === undefined ? undefined : /:(.+)$/s.exec(Buffer.from(basic, 'base64').toString())?.[1];
    if (password !== undefined) return password.trim();
  }
  const header = headers['x-api-key'];
  return typeof header === 'string' ? header.trim() : '';
}

/**
 * Decides who ships. The key is hashed and looked up by fingerprint, which takes the same time whether it exists or not,
 * and a look-up by hash tells an attacker nothing about neighbouring keys.
 * @param address canonical client address
 * @param now epoch milliseconds
 * @throws ApiProblem unauthenticated (no or unknown key) or forbidden (known, but not for this)
 */
export function authenticate(
  view: CredentialView,
  headers: IncomingHttpHeaders,
  address: string,
  now: number,
): CollectorCredential {
  const key = presentedKey(headers);
  if (key === '') {
    throw new ApiProblem(
      'unauthenticated',
      'Send a collector key as "Authorization: Bearer <key>" or "x-api-key: <key>".',
      { headers: CHALLENGE },
    );
  }
  const credential = key.length > KEY_CHARS_MAX ? undefined : view.find(fingerprintOf(key));
  if (credential === undefined) {
    throw new ApiProblem(
      'unauthenticated',
      'This key is not known here. Use a managed key with scope write on usage-events; a new one takes a moment to arrive.',
      { headers: CHALLENGE },
    );
  }
  const refusal = refusalOf(credential, address, now);
  if (refusal !== null) throw new ApiProblem('forbidden', refusal);
  return credential;
}

function refusalOf(credential: CollectorCredential, address: string, now: number): string | null {
  if (now >= credential.revokedFromMs) return `The key ${credential.hint} was revoked. Ask for a new one.`;
  if (now >= credential.expiredFromMs) {
    return `The key ${credential.hint} has expired. Rotate it or ask for a new one.`;
  }
  if (!credential.mayWriteEvents) {
    return `The key ${credential.hint} has no scope write on usage-events. Add the scope or use another key.`;
  }
  if (!credential.allowsAddress(address)) {
    return `The key ${credential.hint} may not be used from this address. Add the address to its allowed ranges.`;
  }
  return null;
}
