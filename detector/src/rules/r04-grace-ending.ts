import { byEvidence } from './by-evidence.ts';
import { parametersOf, type ParameterValues } from './parameters.ts';
import type { Rule } from './rule.ts';

/** R04: a secret that was rotated out is still used when little of its grace is left. One finding for each such secret. */
export function graceEnding(overrides?: ParameterValues): Rule {
  const parameters = parametersOf('R04', overrides);
  const left = Number(parameters['grace_left_percent']) / 100;
  const assumedGraceMs = Number(parameters['assumed_grace_ms']);
  const recentMs = Number(parameters['recent_ms']);

  return byEvidence({
    id: 'R04',
    parameters,
    judge({ row, credential }) {
      if (credential === null || credential.revokedFromMs === Infinity || row.standing !== 'known') return null;
      const { grace_ends_at, revoked_at } = credential.record;
      if (grace_ends_at === null || row.outcome === 'denied') return null;
      const endMs = credential.revokedFromMs;
      const graceMs = revoked_at === null ? assumedGraceMs : Math.max(0, endMs - Date.parse(revoked_at));
      const isRecent = row.received_at - row.seen_at <= recentMs;
      return isRecent && endMs - row.seen_at <= left * graceMs ? 'medium' : null;
    },
    testify: ({ row, credential }) => ({
      grace_ends_at: new Date(credential!.revokedFromMs).toISOString(),
      credential_id: row.credential_id,
      ...(row.user !== '' && { user: row.user }),
      ...(row.agent !== '' && { agent: row.agent }),
      ...(row.host !== '' && { host: row.host }),
    }),
  });
}
