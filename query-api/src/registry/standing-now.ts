import { canonicalHint, expiredFromMs, revokedFromMs } from '@lanewatch/ingest/contract';
import type { Match, Standing } from '@lanewatch/detector/contract';
import type { CredentialRow } from './record.ts';
import type { RegistrySnapshot } from './view.ts';

/** How a lane stands in the registry as it is now. */
export interface StandingNow {
  standing: Standing;
  match: Match;
  /** The one credential that matches; null when none or several do. */
  credential: CredentialRow | null;
}

const UNKNOWN: StandingNow = { standing: 'unknown', match: 'none', credential: null };
const AMBIGUOUS: StandingNow = { standing: 'ambiguous', match: 'ambiguous', credential: null };
const UNATTRIBUTED: StandingNow = { standing: 'unattributed', match: 'none', credential: null };

/**
 * The same decision that the detector takes for an event at its time (detector/src/classify), taken for a lane at
 * `nowMs`: a fingerprint is proof; a hint with its org is probable when exactly one record fits and names the same org;
 * several records, or an org that can't be compared, are ambiguous and never known.
 */
export function standingNow(
  lane: { fingerprint: string; hint: string; org: string },
  registry: RegistrySnapshot,
  nowMs: number,
): StandingNow {
  if (lane.fingerprint !== '') {
    const credential = registry.byFingerprint.get(lane.fingerprint);
    if (credential !== undefined) return found(credential, 'proven', nowMs);
    if (lane.hint === '') return UNKNOWN;
    // A record with another fingerprint is another key, however alike the hints.
    return byHint(lane, registry, nowMs, ({ fingerprint }) => fingerprint === '');
  }
  if (lane.hint === '') return UNATTRIBUTED;
  return byHint(lane, registry, nowMs, () => true);
}

function byHint(
  { hint, org }: { hint: string; org: string },
  registry: RegistrySnapshot,
  nowMs: number,
  eligible: (row: CredentialRow) => boolean,
): StandingNow {
  const candidates = (registry.byHint.get(canonicalHint(hint)) ?? []).filter(
    (row) => eligible(row) && (org === '' || row.org === '' || row.org === org),
  );
  const [candidate] = candidates;
  if (candidate === undefined) return UNKNOWN;
  if (candidates.length > 1 || org === '' || candidate.org !== org) return AMBIGUOUS;
  return found(candidate, 'probable', nowMs);
}

function found(credential: CredentialRow, match: Match, nowMs: number): StandingNow {
  const revoked = nowMs >= revokedFromMs(credential);
  const expired = nowMs >= expiredFromMs(credential);
  return { standing: revoked ? 'revoked' : expired ? 'expired' : 'known', match, credential };
}
