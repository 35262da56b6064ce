import { expect, test } from 'vitest';
import { NOT_TRIED, RULE_CATALOGUE } from '../../contract/index.ts';
import { rulesInForce } from '../rules/index.ts';
import { isTriedByJob } from './job-trial.ts';

test('every rule can be tried over events or by its job, but for those that are told not to be', () => {
  const byEvents = rulesInForce().map(({ id }) => id);
  for (const { id } of RULE_CATALOGUE)
    expect([id, [byEvents.includes(id), isTriedByJob(id), NOT_TRIED.has(id)].filter(Boolean)]).toEqual([id, [true]]);
});
