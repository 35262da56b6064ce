import { execFileSync } from 'node:child_process';
import { userInfo } from 'node:os';
import { fingerprintOf, hintOf } from '@lanewatch/ingest/contract';

/** What may stand in a value of OTEL_RESOURCE_ATTRIBUTES as it is. */
const PLAIN = /^[A-Za-z0-9.@_+-]+$/;

/**
 * Who reports, by which key, as OTEL_RESOURCE_ATTRIBUTES: fingerprint and hint are computed here, the key goes nowhere.
 * @param keyVariables variables that may hold the key, in the order in which the client looks
 */
export function resourceAttributes(environment: Record<string, string | undefined>, keyVariables: string[]): string {
  if (keyVariables.length === 0) return '';
  const key = ['LANEWATCH_PROVIDER_KEY', ...keyVariables]
    .map((name) => environment[name]?.replace(/\s/g, '') ?? '')
    .find((value) => value !== '');
  const pairs: string[] = [];
  if (key !== undefined) {
    pairs.push(`apikey.fingerprint=${fingerprintOf(key)}`);
    if (PLAIN.test(hintOf(key))) pairs.push(`apikey.hint=${hintOf(key)}`);
  }
  const user = person().replace(/[^A-Za-z0-9.@_+-]/g, '');
  if (user !== '') pairs.push(`enduser.id=${user}`);
  return pairs.join(',');
}

/** Git's e-mail address, else the login. */
function person(): string {
  try {
    return execFileSync('git', ['config', '--get', 'user.email'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return userInfo().username;
  }
}
