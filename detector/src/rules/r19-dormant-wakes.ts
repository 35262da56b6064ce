import { AT } from '../lane-state/profile.ts';
import { byEvidence } from './by-evidence.ts';
import { parametersOf, type ParameterValues } from './parameters.ts';
import type { Rule } from './rule.ts';
import { DAY_MS, newsFacts } from './usual.ts';

/** R19: a key that nobody used for weeks is used from a network or by an agent that it was never seen with. */
export function dormantWakes(overrides?: ParameterValues): Rule {
  const parameters = parametersOf('R19', overrides);
  const idleMs = Number(parameters['idle_ms']);

  return byEvidence({
    id: 'R19',
    parameters,
    judge({ sight }) {
      if (sight.idleMs < idleMs || sight.idleMs === Infinity) return null;
      const isNew = (dimension: number) => sight.unseenMs[dimension] === Infinity;
      return isNew(AT.network) || isNew(AT.country) || isNew(AT.agent) ? 'high' : null;
    },
    testify: ({ row, lane: { profile }, sight }) => ({
      idle_days: Math.floor(sight.idleMs / DAY_MS),
      // Whatever it was seen with is older than its sleep: only what is new altogether says something.
      ...newsFacts(profile, row, sight, Infinity),
    }),
  });
}
