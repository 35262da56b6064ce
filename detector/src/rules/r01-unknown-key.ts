import type { LaneState } from '../lane-state/lane-states.ts';
import { latestValue, type ValueTable } from '../lane-state/value-table.ts';
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
    evaluate: ({ row }) => (row.standing === 'unknown' ? PER_LANE : null),
    describe(lane, finding) {
      const sessionActive = finding.last_received_at - finding.last_seen < sessionActiveMs;
      const spendReached = lane.cost_nano_usd >= spendNanoUsd;
      const endpointUnresolved =
        parameters['unresolved_endpoint_raises'] === true && hasUnresolvedEndpoint(lane.endpoint, lane.user);
      return {
        severity: sessionActive || spendReached || endpointUnresolved ? 'critical' : 'high',
        facts: {
          session_active: sessionActive,
          spend_usd: (lane.cost_nano_usd / NANO).toFixed(2),
          endpoint_unresolved: endpointUnresolved,
          ...latest(lane),
        },
        ledgerFilter: { lane: lane.lane, standing: 'unknown' },
      };
    },
  };
}

function latest(lane: LaneState): Record<string, string> {
  const facts: Record<string, string> = {};
  const dimensions: [string, ValueTable | null][] = [
    ['session', lane.session],
    ['user', lane.user],
    ['endpoint', lane.endpoint],
    ['agent', lane.agent],
    ['model', lane.model],
  ];
  for (const [name, table] of dimensions) if (table !== null) facts[name] = latestValue(table);
  return facts;
}
