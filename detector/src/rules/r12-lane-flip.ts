import { byEvidence } from './by-evidence.ts';
import { parametersOf, type ParameterValues } from './parameters.ts';
import type { Rule } from './rule.ts';
import { isOwner } from './usual.ts';

/** R12: somebody's work in a repository ran on one key for days and runs on another now. A new secret of the same credential is no other key. */
export function laneFlip(overrides?: ParameterValues): Rule {
  const parameters = parametersOf('R12', overrides);
  const days = Number(parameters['days']);

  return byEvidence({
    id: 'R12',
    parameters,
    judge({ row, credential, crowd: { workBefore } }) {
      if (workBefore === null || workBefore.days < days) return null;
      if (row.standing === 'unknown') return 'high';
      // Who works with a key of their team has two, and moves on to the one that is their own.
      return credential?.record.sharing === 'team' || isOwner(credential, row.user) ? 'low' : 'medium';
    },
    testify: ({ row, crowd: { workBefore } }) => ({
      user: row.user,
      agent: row.agent,
      repo: row.repo,
      key_before: workBefore!.key,
      days_before: workBefore!.days,
    }),
  });
}
