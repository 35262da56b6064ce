import type { FindingTally } from '../ledger/ledger.ts';
import { hasUnresolvedEndpoint } from './people.ts';
import { parametersOf, PER_LANE, type Rule } from './rule.ts';

const NANO = 1e9;

/** R01: the key is not on the allowlist. High; critical when the session is live, the spend is real or nobody is known behind the address. */
export function unknownKey(overrides?: Parameters<typeof parametersOf>[1]): Rule {
  const parameters = parametersOf('R01', overrides);
  const sessionActiveMs = Number(parameters['session_active_ms']);
  const spendNanoUsd = Number(parameters['spend_usd']) * NANO;

  return {
    id: 'R01',
    parameters,
    dependsOn: 'values',
    evaluate: ({ row }) => (row.standing === 'unknown' ? PER_LANE : null),
    describe(lane, finding) {
      const sessionActive = finding.last_received_at - finding.last_seen < sessionActiveMs;
      const spendReached = finding.cost_nano_usd >= spendNanoUsd;
      const endpointUnresolved =
        parameters['unresolved_endpoint_raises'] === true && hasUnresolvedEndpoint(lane.endpoint, lane.user);
      return {
        severity: sessionActive || spendReached || endpointUnresolved ? 'critical' : 'high',
        facts: {
          session_active: sessionActive,
          spend_usd: (finding.cost_nano_usd / NANO).toFixed(2),
          endpoint_unresolved: endpointUnresolved,
          ...latest(finding),
        },
      };
    },
  };
}

function latest(finding: FindingTally): Record<string, string> {
  const facts: Record<string, string> = {};
  for (const name of ['session', 'user', 'endpoint', 'agent', 'model'] as const)
    if (finding[name] !== '') facts[name] = finding[name];
  return facts;
}
