import { byEvidence } from './by-evidence.ts';
import { parametersOf, type ParameterValues } from './parameters.ts';
import type { Rule } from './rule.ts';

/** R09: a key of one environment is used in another. High where one of the two is production; each pair is a finding of its own. */
export function environmentCrossing(overrides?: ParameterValues): Rule {
  return byEvidence({
    id: 'R09',
    parameters: parametersOf('R09', overrides),
    judge({ row, credential }) {
      if (credential === null || row.environment === '' || row.outcome === 'denied') return null;
      const own = credential.record.environment;
      if (own === '' || own === row.environment) return null;
      return own === 'production' || row.environment === 'production' ? 'high' : 'low';
    },
    dedupe: ({ row, credential }) => [credential!.record.environment, row.environment],
    testify: ({ row, credential }) => ({
      key_environment: credential!.record.environment,
      environment: row.environment,
      ...(row.repo !== '' && { repo: row.repo }),
      ...(row.host !== '' && { host: row.host }),
    }),
  });
}
