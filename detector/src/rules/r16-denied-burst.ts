import { byEvidence } from './by-evidence.ts';
import { parametersOf, type ParameterValues } from './parameters.ts';
import type { Rule } from './rule.ts';

/** R16: many calls are refused in a short time: what the key may not have, or the key itself (status 401), which is counted by address. */
export function deniedBurst(overrides?: ParameterValues): Rule {
  const parameters = parametersOf('R16', overrides);
  const refused = Number(parameters['refused']);
  const windowMs = Number(parameters['window_ms']);
  const failedLogins = Number(parameters['failed_logins']);
  const loginWindowMs = Number(parameters['login_window_ms']);

  return byEvidence({
    id: 'R16',
    parameters,
    judge({ row, lane: { profile } }) {
      if (row.outcome !== 'denied') return null;
      if (row.status_code === 401)
        return within(profile.failedLoginsMs, row.seen_at, loginWindowMs) >= failedLogins ? 'medium' : null;
      return within(profile.refusedMs, row.seen_at, windowMs) > refused ? 'medium' : null;
    },
    dedupe: ({ row }) => (row.status_code === 401 ? ['login', row.ip] : ['refused']),
    testify: ({ row, lane: { profile } }) => ({
      ...(row.status_code === 401
        ? { failed_logins: within(profile.failedLoginsMs, row.seen_at, loginWindowMs) }
        : { refused: within(profile.refusedMs, row.seen_at, windowMs) }),
      ...(row.ip !== '' && { endpoint: row.ip }),
      ...(row.model !== '' && { model: row.model }),
    }),
  });
}

/** How many of these are within the window up to an instant. */
function within(times: readonly number[], atMs: number, windowMs: number): number {
  let count = 0;
  for (const time of times) if (time <= atMs && time > atMs - windowMs) count++;
  return count;
}
