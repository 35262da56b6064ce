import type { Registration, Standing } from '../../contract/index.ts';

/**
 * What registering a key does for events that name it so. A fingerprint settles them; a hint does with its org, while no key
 * has both: every key more that fits a hint only makes it more ambiguous, and a hint without an org is never known. Pure.
 */
export function registrationOf(
  { fingerprint, org }: { fingerprint: string; org: string },
  standing: Standing,
): Registration {
  if (standing !== 'unknown' && standing !== 'ambiguous') return 'not_needed';
  if (fingerprint !== '' || (standing === 'unknown' && org !== '')) return 'helps';
  return 'needs_fingerprint';
}
