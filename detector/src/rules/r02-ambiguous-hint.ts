import { parametersOf, PER_LANE, type Rule } from './rule.ts';

/** R02: only the hint speaks for the key, and it does not single out one allowlisted key. */
export function ambiguousHint(): Rule {
  return {
    id: 'R02',
    parameters: parametersOf('R02'),
    evaluate: ({ row }) => (row.match === 'ambiguous' ? PER_LANE : null),
    describe: (lane) => ({
      severity: 'medium',
      facts: { hint: lane.hint, org: lane.org, fingerprint_sent: lane.fingerprint !== '' },
      ledgerFilter: { lane: lane.lane, standing: 'ambiguous' },
    }),
  };
}
