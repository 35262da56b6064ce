import { expect, it } from 'vitest';
import { columnsOf } from './columns.ts';

const names = (kept: string | undefined) => columnsOf(kept).map(({ name }) => name);

it('has the columns that a cookie names in the order of the table, and leaves out what is none', () => {
  expect(names('cost_usd.user.constructor')).toEqual(['user', 'cost_usd']);
});

it('has organization, session, agent and repository unless others were chosen', () => {
  for (const name of ['org', 'session', 'agent', 'repo']) expect(names(undefined)).toContain(name);
  expect(names('nothing')).toEqual(names(undefined));
});
