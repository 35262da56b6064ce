import { isResolvedUser } from '../lane-state/people.ts';
import { byEvidence } from './by-evidence.ts';
import { parametersOf, type ParameterValues } from './parameters.ts';
import type { Rule } from './rule.ts';

/** R24: shortly after it was made, a personal key is used by somebody who is not its owner. Only where both names are of one kind can that be told. */
export function usedByAnother(overrides?: ParameterValues): Rule {
  const parameters = parametersOf('R24', overrides);
  const newMs = Number(parameters['new_ms']);
  const createdMs = new WeakMap<object, number>();

  return byEvidence({
    id: 'R24',
    parameters,
    judge({ row, credential }) {
      if (credential === null || row.user === '' || row.outcome === 'denied') return null;
      const { record } = credential;
      if (record.sharing !== 'personal' || record.owner_kind !== 'person' || record.owner === '') return null;
      let atMs = createdMs.get(credential);
      if (atMs === undefined) createdMs.set(credential, (atMs = Date.parse(record.created_at)));
      if (row.seen_at < atMs || row.seen_at - atMs >= newMs) return null;
      return isResolvedUser(row.user) && areOthers(record.owner, row.user) ? 'medium' : null;
    },
    testify: ({ row, credential }) => ({
      owner: credential!.record.owner,
      user: row.user,
      minutes: Math.round((row.seen_at - createdMs.get(credential!)!) / 60_000),
      ...(row.ip !== '' && { endpoint: row.ip }),
    }),
  });
}

function areOthers(owner: string, user: string): boolean {
  const [one, other] = [owner.toLowerCase(), user.toLowerCase()];
  return one !== other && one.includes('@') === other.includes('@');
}
