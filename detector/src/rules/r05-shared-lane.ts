import { valuesWithin } from '../lane-state/value-table.ts';
import { isResolvedUser } from './people.ts';
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
      const seen = lane.user === null ? [] : valuesWithin(lane.user, finding.last_seen, windowMs);
      const people = seen.filter(isResolvedUser).sort();
      const repos = lane.repo === null ? [] : valuesWithin(lane.repo, finding.last_seen, windowMs).sort();
      return {
        // People alone may be a team at work; people and repositories together widen what a leak would reach.
        severity: repos.length >= 2 ? 'high' : 'medium',
        facts: { people, people_count: people.length, unresolved_users: seen.length - people.length, repos },
      };
    },
  };
}
