import { busiestWindow, peopleIn, sawPeople } from '../lane-state/stays.ts';
import { forgottenUntil, valuesAdded, valuesBetween, type ValueTable } from '../lane-state/value-table.ts';
import { parametersOf, type ParameterValues } from './parameters.ts';
import { PER_LANE, type Rule } from './rule.ts';

/** Names listed of each kind; how many people there were is told apart from it. */
const NAMED_MAX = 32;

/**
 * R05: more people than declared use one key within the window. An occurrence is an event with which somebody joins (or comes
 * back to) the people of the window while they are too many; steady use by the same people adds none.
 */
export function sharedLane(overrides?: ParameterValues): Rule {
  const parameters = parametersOf('R05', overrides);
  const windowMs = Number(parameters['window_ms']);
  const peopleOnPersonalKey = Number(parameters['people_on_personal_key']);
  const peopleOverDeclared = Number(parameters['people_over_declared']);

  return {
    id: 'R05',
    parameters,
    windowMs,
    dependsOn: 'lane',
    evaluate({ row, lane, credential, personJoined }) {
      if (!personJoined || lane.user === null || lane.user.values.length < 2) return null;
      // An ambiguous hint may stand for several keys, so several people prove no sharing.
      if (row.match === 'ambiguous') return null;
      const limit =
        credential?.record.sharing === 'team'
          ? credential.record.people_declared + peopleOverDeclared
          : peopleOnPersonalKey;
      return sawPeople(lane.user, row.seen_at, windowMs, limit) ? PER_LANE : null;
    },
    describe(lane, finding) {
      const at = finding.last_seen;
      const from = at - windowMs + 1;
      const to = at + windowMs - 1;
      const within = (table: ValueTable | null) => (table === null ? [] : valuesBetween(table, from, to));
      const added = (table: ValueTable | null) => (table === null ? [] : valuesAdded(table, from, to));
      const window = lane.user === null ? null : busiestWindow(lane.user, at, windowMs);
      const people = window === null ? [] : peopleIn(lane.user!, window);
      const isMinimum = window !== null && forgottenUntil(lane.user!) >= window.fromMs;
      const reachAdded = [...added(lane.repo), ...added(lane.environment)];
      return {
        // People alone may be a team at work; what came with them widens what a leak would reach.
        severity: reachAdded.length > 0 ? 'high' : 'medium',
        facts: {
          people: firstNames(people),
          people_count: people.length,
          ...(isMinimum ? { people_count_is_minimum: true } : {}),
          unresolved_users: within(lane.unresolved).length,
          repos: firstNames(within(lane.repo)),
          environments: firstNames(within(lane.environment)),
          added: firstNames(reachAdded),
        },
      };
    },
  };
}

/** The first names in their order, without sorting a hundred thousand to list a few. */
function firstNames(names: readonly string[]): string[] {
  const first: string[] = [];
  for (const name of names) {
    if (first.length === NAMED_MAX && name >= first.at(-1)!) continue;
    const place = first.findIndex((other) => name < other);
    first.splice(place === -1 ? first.length : place, 0, name);
    if (first.length > NAMED_MAX) first.pop();
  }
  return first;
}
