import { hintOf, providerOfKey } from '@lanewatch/ingest/contract/hint';

/** What the registry keeps of a key. */
export interface HashedKey {
  fingerprint: string;
  hint: string;
  provider: string;
}

/**
 * Fingerprint, hint and provider of a raw key, computed where it was pasted. The same as ingest's own fingerprint: SHA-256 of the
 * trimmed key's UTF-8 bytes.
 */
export async function hashKey(secret: string): Promise<HashedKey> {
  const key = secret.trim();
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(key));
  const fingerprint = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
  return { fingerprint, hint: hintOf(key), provider: providerOfKey(key) };
}
