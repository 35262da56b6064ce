import { AT } from '../lane-state/profile.ts';
import { byEvidence } from './by-evidence.ts';
import { parametersOf, type ParameterValues } from './parameters.ts';
import type { Rule } from './rule.ts';
import { isNamedNetwork, isNews, isOwner, newsFacts } from './usual.ts';

/**
 * R07: a lane with a history is used from, by or in something that it was not seen with for days. A new address, agent, repository or
 * model by itself is everyday (low); a new network, country or environment is not (medium); two at once, one of them the network, is what
 * a stolen key looks like (high). Somebody known here whose own agent reports from elsewhere is travelling (low), whichever agent it is. A network that no database names is a range of addresses, and counts only beside something else.
 */
export function firstSeen(overrides?: ParameterValues): Rule {
  const parameters = parametersOf('R07', overrides);
  const historyMs = Number(parameters['history_ms']);
  const laneAgeMs = Number(parameters['lane_age_ms']);
  const events = Number(parameters['events']);

  return byEvidence({
    id: 'R07',
    parameters,
    judge({ row, lane: { profile }, sight, credential }) {
      const isNew = (dimension: number) => isNews(sight, dimension, historyMs);
      const country = isNew(AT.country);
      const network = isNew(AT.network);
      const agent = isNew(AT.agent);
      const environment = isNew(AT.environment);
      const reach = isNew(AT.repo) || isNew(AT.model);
      if (!country && !network && !agent && !environment && !reach && !isNew(AT.endpoint)) return null;
      if (row.seen_at - profile.firstMs < laneAgeMs || profile.calls <= events) return null;
      // A person on the way, or one more of a team, whom R05 counts: their own agent says so, which whoever took the key does not run with
      // our collector. Nor is another program a sign of anybody else then. Known is who was ever here, and whose key it is.
      const isKnown = (row.user !== '' && sight.unseenMs[AT.user] !== Infinity) || isOwner(credential, row.user);
      const isTeammate = row.user !== '' && credential?.record.sharing === 'team';
      if (row.reporter === 'agent' && (isKnown || isTeammate) && !environment) return 'low';
      const isElsewhere = country || (network && isNamedNetwork(sight.place?.network ?? ''));
      if (isElsewhere) return agent || environment || reach ? 'high' : 'medium';
      return environment || (network && agent) ? 'medium' : 'low';
    },
    testify: ({ row, lane: { profile }, sight }) => newsFacts(profile, row, sight, historyMs),
  });
}
