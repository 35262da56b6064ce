import { randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** 32 of 62 characters: 190 bits. */
const RANDOM_CHARS = 32;
const CHECKSUM_CHARS = 6;

const ENVIRONMENT_LABEL = { development: 'dev', sandbox: 'sandbox', staging: 'staging', production: 'prod' } as const;
export type ManagedEnvironment = keyof typeof ENVIRONMENT_LABEL;

/** The checksum at the end of a managed secret: CRC-32 of the random part in base62, left-padded to 6 with `0`. */
export function secretChecksum(random: string): string {
  let rest = crc32(random);
  let text = '';
  while (rest > 0) {
    text = BASE62.charAt(rest % 62) + text;
    rest = Math.floor(rest / 62);
  }
  return text.padStart(CHECKSUM_CHARS, '0');
}

/**
 * A new secret, `lw_<env>_<32 random base62>_<checksum>`. The checksum lets scanners tell a real key from a text that
 * only looks like one, without asking us. Shown once, never stored.
 */
export function createManagedSecret(environment: ManagedEnvironment): string {
  let random = '';
  while (random.length < RANDOM_CHARS) random += BASE62.charAt(randomInt(BASE62.length));
  return `lw_${ENVIRONMENT_LABEL[environment]}_${random}_${secretChecksum(random)}`;
}
