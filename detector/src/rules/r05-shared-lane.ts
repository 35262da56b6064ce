import { isResolvedUser } from '../lane-state/people.ts';
import { valuesAdded, valuesWithin, type ValueTable } from '../lane-state/value-table.ts';
import { parametersOf, PER_LANE, type Rule } from './rule.ts';

/**
 * R05: more people than declared use one key within the window. An occurrence is an event with which somebody joins (or comes
 * back to) the people of the window while they are too many; steady use by the same people adds none.
 */
export function sharedLane(overrides?: Parameters<typeof parametersOf>[1]): Rule {
  const parameters = parametersOf('R05', overrides);
  const windowMs = Number(parameters['window_ms']);
  const peopleOnPersonalKey = Number(parameters['people_on_personal_key']);
  const peopleOverDeclared = Number(parameters['people_over_declared']);

  return {
    id: 'R05',
    parameters,
    dependsOn: 'sights',
    evaluate({ row, lane, credential, previousUserSightMs }) {
      if (lane.user === null || lane.user.values.length < 2) return null;
      // An ambiguous hint may stand for several keys, so several people prove no sharing.
      if (row.match === 'ambiguous') return null;
      if (Math.abs(row.seen_at - previousUserSightMs) < windowMs || !isResolvedUser(row.user)) return null;
      const people = valuesWithin(lane.user, row.seen_at, windowMs).filter(isResolvedUser).length;
      const limit =
        credential?.record.sharing === 'team'
          ? credential.record.people_declared + peopleOverDeclared
          : peopleOnPersonalKey;
      return people >= limit ? PER_LANE : null;
    },
    describe(lane, finding) {
      const at = finding.last_seen;
      const within = (table: ValueTable | null) => (table === null ? [] : valuesWithin(table, at, windowMs).sort());
      const added = (table: ValueTable | null) => (table === null ? [] : valuesAdded(table, at, windowMs).sort());
      const seen = within(lane.user);
      const people = seen.filter(isResolvedUser);
      const reachAdded = [...added(lane.repo), ...added(lane.environment)];
      return {
        // People alone may be a team at work; what came with them widens what a leak would reach.
        severity: reachAdded.length > 0 ? 'high' : 'medium',
        facts: {
          people,
          people_count: people.length,
          unresolved_users: seen.length - people.length,
          repos: within(lane.repo),
          environments: within(lane.environment),
          added: reachAdded,
        },
      };
    },
  };
}
