import { parametersOf, type ParameterValues } from './parameters.ts';
import type { Rule } from './rule.ts';

/**
 * R03: the key was used after its end. An event that arrived within the skew of its own time has a clock that receipt
 * confirms, so it counts from the first moment; a later one gets the skew as benefit of the doubt.
 */
export function revokedOrExpired(overrides?: ParameterValues): Rule {
  const parameters = parametersOf('R03', overrides);
  const skewMs = Number(parameters['skew_ms']);

  return {
    id: 'R03',
    parameters,
    dependsOn: 'rows',
    evaluate({ row, credential }) {
      if (credential === null || (row.standing !== 'revoked' && row.standing !== 'expired')) return null;
      const endedAtMs = row.standing === 'revoked' ? credential.revokedFromMs : credential.expiredFromMs;
      const clockConfirmed = row.received_at - row.seen_at <= skewMs;
      if (!clockConfirmed && row.seen_at <= endedAtMs + skewMs) return null;
      return [row.standing, row.credential_id];
    },
    // Its own rows tell which of the two it is and of which credential; the lane's next event may match another.
    describe: (_lane, { standing, credential_id }) => ({
      severity: standing === 'revoked' ? 'critical' : 'high',
      facts: { standing, credential_id },
    }),
  };
}
