import type { RuleItem } from '@lanewatch/query-api/contract';
import { expect, test } from 'vitest';
import { fieldOf, patchOf } from './rule-form.ts';

const parameter = (name: string, usual: string | number | boolean, settable = true) => ({
  ...{ name, description: '', unit: '', default: usual, value: usual, minimum: null, settable },
});
const rule = {
  mode: 'notify',
  parameters: [
    parameter('idle_days', 90),
    parameter('raises', true),
    parameter('days', '30,7'),
    parameter('fixed', 1, false),
  ],
} as unknown as RuleItem;

function form(fields: Record<string, string>): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.set(name, value);
  return data;
}

test('a form asks for what stands in it: a box that is not ticked is off, lists come by line or comma', () => {
  const filled = form({
    ...{
      version: '3',
      mode: 'monitor',
      severity: '',
      orgs: 'acme, beta\ngamma',
      projects: '',
      environments: ' staging ',
    },
    ...{ suppress_by: 'endpoint', suppress_minutes: '30' },
    ...{ [fieldOf('idle_days')]: '60', [fieldOf('days')]: '14', [fieldOf('fixed')]: '7' },
  });
  expect(patchOf(filled, rule)).toEqual({
    patch: {
      ...{ enabled: false, mode: 'monitor', severity: '', version: 3 },
      parameters: { idle_days: 60, raises: false, days: '14' },
      ...{ orgs: ['acme', 'beta', 'gamma'], projects: [], environments: ['staging'] },
      ...{ suppress_by: ['endpoint'], suppress_ms: 1_800_000 },
    },
    errors: [],
  });
});

test('what is no number is told by its parameter, and nothing is guessed', () => {
  const { errors } = patchOf(form({ [fieldOf('idle_days')]: 'soon' }), rule);
  expect(errors).toEqual([{ path: 'parameters.idle_days', message: 'must be a number' }]);
});
