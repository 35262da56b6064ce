import type { FindingTally } from '../ledger/ledger.ts';
import { parametersOf, type ParameterValues } from './parameters.ts';
import { PER_LANE, type Rule } from './rule.ts';

const NANO = 1e9;

/** R01: the key is not on the allowlist, and somebody let it pass. High; critical when it was used live, the spend is real or nobody is known behind an address. */
export function unknownKey(overrides?: ParameterValues): Rule {
  const parameters = parametersOf('R01', overrides);
  const sessionActiveMs = Number(parameters['session_active_ms']);
  const spendNanoUsd = Number(parameters['spend_usd']) * NANO;

  return {
    id: 'R01',
    parameters,
    dependsOn: 'rows',
    // A key that was refused was tried, not used: it may be a typing mistake, which reached no provider.
    evaluate: ({ row }) => (row.standing === 'unknown' && row.outcome !== 'denied' ? PER_LANE : null),
    describe(_lane, finding) {
      // By the freshest event, not the last one to come: what was spooled for hours says nothing against a live session.
      const sessionActive = finding.delay_ms_min < sessionActiveMs;
      const spendReached = finding.cost_nano_usd >= spendNanoUsd;
      const endpointUnresolved = parameters['unresolved_endpoint_raises'] === true && finding.endpoint_unresolved;
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
