import { findingIdOf } from '../../contract/index.ts';
import { parametersOf, type Rule } from './rule.ts';

/**
 * R03: the key was used after its end. An event that arrived within the skew of its own time has a clock that receipt
 * confirms, so it counts from the first moment; a later one gets the skew as benefit of the doubt.
 */
export function revokedOrExpired(overrides?: Parameters<typeof parametersOf>[1]): Rule {
  const parameters = parametersOf('R03', overrides);
  const skewMs = Number(parameters['skew_ms']);

  return {
    id: 'R03',
    parameters,
    evaluate({ row, credential }) {
      if (credential === null || (row.standing !== 'revoked' && row.standing !== 'expired')) return null;
      const endedAtMs = row.standing === 'revoked' ? credential.revokedFromMs : credential.expiredFromMs;
      const clockConfirmed = row.received_at - row.seen_at <= skewMs;
      if (!clockConfirmed && row.seen_at <= endedAtMs + skewMs) return null;
      return [row.standing, row.credential_id];
    },
    describe(lane, finding) {
      const standing = standingOf(finding.id, lane.lane, lane.credential_id, finding.dedupe);
      return {
        severity: standing === 'revoked' ? 'critical' : 'high',
        facts: { standing, credential_id: lane.credential_id },
        ledgerFilter: { lane: lane.lane, standing },
      };
    },
  };
}

/** Which of the two a finding is about. After a restart its dedupe values are not held, but the id still tells. */
function standingOf(id: string, lane: string, credentialId: string, dedupe: string | null): 'revoked' | 'expired' {
  if (dedupe !== null) return dedupe.startsWith('revoked') ? 'revoked' : 'expired';
  return findingIdOf('R03', lane, ['expired', credentialId]) === id ? 'expired' : 'revoked';
}
