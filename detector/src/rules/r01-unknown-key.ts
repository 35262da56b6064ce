import type { FindingTally } from '../ledger/ledger.ts';
import { parametersOf, type ParameterValues } from './parameters.ts';
import { PER_LANE, type Rule } from './rule.ts';

const NANO = 1e9;

/**
 * R01: the key is not on the allowlist, and somebody let it pass. How severe that is follows what is at stake: spend, and before it is
 * large a live session or an address that nobody is known behind. A key of which only a hint is known is one level lower: whoever may send
 * events can make hints up.
 */
export function unknownKey(overrides?: ParameterValues): Rule {
  const parameters = parametersOf('R01', overrides);
  const sessionActiveMs = Number(parameters['session_active_ms']);
  const spendNanoUsd = Number(parameters['spend_usd']) * NANO;
  const liveSpendNanoUsd = Number(parameters['live_spend_usd']) * NANO;

  return {
    id: 'R01',
    parameters,
    dependsOn: 'rows',
    // A key that was refused was tried, not used: it may be a typing mistake, which reached no provider.
    evaluate: ({ row }) => (row.standing === 'unknown' && row.outcome !== 'denied' ? PER_LANE : null),
    describe(lane, finding) {
      // By the freshest event, not the last one to come: what was spooled for hours says nothing against a live session.
      const sessionActive = finding.delay_ms_min < sessionActiveMs;
      const spend = finding.cost_nano_usd;
      const endpointUnresolved = parameters['unresolved_endpoint_raises'] === true && finding.endpoint_unresolved;
      const isAtStake = spend >= spendNanoUsd || (spend >= liveSpendNanoUsd && (sessionActive || endpointUnresolved));
      const isProven = lane.fingerprint !== '';
      return {
        severity: isProven ? (isAtStake ? 'critical' : 'high') : isAtStake ? 'high' : 'medium',
        facts: {
          session_active: sessionActive,
          spend_usd: (spend / NANO).toFixed(2),
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
