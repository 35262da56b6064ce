import type { Problem } from '@lanewatch/query-api/contract';
import type { KeyFields } from '../fields/key-fields.ts';

/** How a provider's key is named to the registry: hashed here from the key itself, by fingerprint, or by hint and organization. */
const METHODS = ['paste', 'fingerprint', 'hint'] as const;
export type Method = (typeof METHODS)[number];

export const METHOD_NAMES: Record<Method, string> = {
  paste: 'Paste the key',
  fingerprint: 'Fingerprint',
  hint: 'Hint and org',
};
export const ALL_METHODS = METHODS;

export const methodOf = (text: string | null): Method => METHODS.find((method) => method === text) ?? 'paste';

/** What is missing before query-api is asked at all; a problem in its own shape, or null. */
export function missingIn(method: Method, fields: KeyFields): Pick<Problem, 'detail' | 'errors'> | null {
  if (method === 'paste' && fields.fingerprint === '') {
    return { detail: 'Paste the key first: its fingerprint is what gets registered.', errors: [] };
  }
  return null;
}
