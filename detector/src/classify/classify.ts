import type { Match, Standing } from '../../contract/index.ts';
import type { Credential, RegistryView } from './registry-view.ts';

/** What the registry says of one event. */
export interface Classification {
  standing: Standing;
  match: Match;
  /** The one credential that matched; null when none or several did. */
  credential: Credential | null;
}

const UNKNOWN: Classification = { standing: 'unknown', match: 'none', credential: null };
const AMBIGUOUS: Classification = { standing: 'ambiguous', match: 'ambiguous', credential: null };
const UNATTRIBUTED: Classification = { standing: 'unattributed', match: 'none', credential: null };

/**
 * How an event's credential stands at `atMs` (epoch milliseconds of the event, bounded by receipt).
 *
 * A fingerprint decides alone: `proven`. Failing that, a hint together with its org may single out one record: `probable`.
 * A hint that fits several records, or one whose org can't be compared, is `ambiguous` and never known, because two keys
 * in 4,800 share their last four characters. Expiry and revocation are compared with the event's time, registration is
 * not: putting a key on the allowlist says that it belongs, whenever it was used.
 */
export function classify(
  event: { fingerprint: string; hint: string; org: string },
  atMs: number,
  registry: RegistryView,
): Classification {
  if (event.fingerprint !== '') {
    const credential = registry.byFingerprint(event.fingerprint);
    if (credential !== undefined) return found(credential, 'proven', atMs);
    if (event.hint === '') return UNKNOWN;
    // A record with another fingerprint is another key, however alike the hints; only records without one can be meant.
    return byHint(event.hint, event.org, atMs, registry, true);
  }
  if (event.hint === '') return UNATTRIBUTED;
  return byHint(event.hint, event.org, atMs, registry, false);
}

function byHint(
  hint: string,
  org: string,
  atMs: number,
  registry: RegistryView,
  withoutFingerprintOnly: boolean,
): Classification {
  let candidate: Credential | null = null;
  let candidates = 0;
  for (const credential of registry.byHint(hint)) {
    if (withoutFingerprintOnly && credential.record.fingerprint !== '') continue;
    const orgsDiffer = org !== '' && credential.record.org !== '' && org !== credential.record.org;
    if (orgsDiffer) continue;
    candidate = credential;
    candidates++;
  }
  if (candidate === null) return UNKNOWN;
  const orgConfirmed = org !== '' && candidate.record.org === org;
  if (candidates > 1 || !orgConfirmed) return AMBIGUOUS;
  return found(candidate, 'probable', atMs);
}

function found(credential: Credential, match: Match, atMs: number): Classification {
  const standing =
    atMs >= credential.revokedFromMs ? 'revoked' : atMs >= credential.expiredFromMs ? 'expired' : 'known';
  return { standing, match, credential };
}
