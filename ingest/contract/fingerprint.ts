import { createHash } from 'node:crypto';

/** SHA-256 as hexadecimal digits. */
const FINGERPRINT_CHARS = 64;

/**
 * The fingerprint of a raw key: SHA-256 of its UTF-8 bytes, 64 lower-case hex digits. The only identity of a credential.
 * @param secret the raw key, already trimmed
 */
export function fingerprintOf(secret: string): string {
  return createHash('sha256').update(secret, 'utf8').digest('hex');
}

/** Whether a text already is a fingerprint in its one accepted spelling. */
export function isFingerprint(text: string): boolean {
  if (text.length !== FINGERPRINT_CHARS) return false;
  // A loop, because this is asked several times of every event, and a pattern takes longer.
  for (let at = 0; at < FINGERPRINT_CHARS; at++) {
    const code = text.charCodeAt(at);
    if (!((code >= 0x30 && code <= 0x39) || (code >= 0x61 && code <= 0x66))) return false;
  }
  return true;
}

/** Accepts the spellings clients use (`sha256:` in front, upper case) and returns the one form, or null when it is none. */
export function canonicalFingerprint(text: string): string | null {
  const bare = text
    .trim()
    .replace(/^sha-?256:/i, '')
    .toLowerCase();
  return isFingerprint(bare) ? bare : null;
}

/** The lane of every event that names no key. */
export const UNATTRIBUTED_LANE = 'unattributed';

/**
 * The lane an event belongs to: a function of the event alone, so that ingest (partitioning), detector (state) and
 * readers (roll-ups) agree without asking the registry.
 * With a fingerprint it is that. With only a hint it is `hint_` + 32 hex digits over hint and org: never a bare hash, which
 * could be mistaken for a fingerprint. With neither it is `unattributed`.
 */
export function laneOf(fingerprint: string, hint: string, org: string): string {
  if (fingerprint !== '') return fingerprint;
  if (hint === '') return UNATTRIBUTED_LANE;
  return `hint_${createHash('sha256').update(`${hint}\n${org}`, 'utf8').digest('hex').slice(0, 32)}`;
}
