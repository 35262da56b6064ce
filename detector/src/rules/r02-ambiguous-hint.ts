import { parametersOf } from './parameters.ts';
import { PER_LANE, type Rule } from './rule.ts';

/** R02: only the hint speaks for the key, and it does not single out one allowlisted key. */
export function ambiguousHint(): Rule {
  return {
    id: 'R02',
    parameters: parametersOf('R02'),
    dependsOn: 'rows',
    evaluate: ({ row }) => (row.match === 'ambiguous' ? PER_LANE : null),
    describe: (lane, finding) => ({
      severity: 'medium',
      facts: { hint: finding.hint, org: finding.org, fingerprint_sent: lane.fingerprint !== '' },
    }),
  };
}
