import { expect, test } from 'vitest';
import type { ProxyPolicy } from '../../contract/index.ts';
import { createPolicyView } from './policy.ts';

const policy = (...places: ProxyPolicy['places']) => Buffer.from(JSON.stringify({ places }));
const ORGANISATION = { project: '', mode: 'enforce', refuse: ['unknown', 'revoked'] } as const;

test('a project has what it set otherwise, the others what the organisation set', () => {
  const view = createPolicyView(new Set());
  expect(view.isInForce()).toBe(false);
  view.apply(
    policy(
      { ...ORGANISATION, refuse: [...ORGANISATION.refuse] },
      { project: 'lab', mode: 'watch', refuse: ['network'] },
    ),
  );
  expect(view.of('billing')).toEqual({ refused: new Set(['unknown', 'revoked']), noted: new Set() });
  expect(view.of('lab')).toEqual({ refused: new Set(), noted: new Set(['network']) });
  expect(view.isInForce()).toBe(true);
});

test('what the operator has refused is refused whatever the policy says, and a policy that is taken back is none', () => {
  const view = createPolicyView(new Set(['revoked']));
  view.apply(policy({ project: '', mode: 'watch', refuse: ['unknown', 'revoked'] }));
  expect(view.of('')).toEqual({ refused: new Set(['revoked']), noted: new Set(['unknown']) });
  view.apply(policy({ project: '', mode: 'off', refuse: ['unknown'] }));
  expect(view.of('')).toEqual({ refused: new Set(['revoked']), noted: new Set() });
  view.apply(null);
  expect(view.of('')).toEqual({ refused: new Set(['revoked']), noted: new Set() });
});

test.each(['', 'no json', '{}', '{"places":[{"project":"","mode":"enforce","refuse":["everything"]}]}'])(
  'a record that cannot be read says so and changes nothing: %s',
  (text) => {
    const view = createPolicyView(new Set());
    view.apply(policy({ project: '', mode: 'enforce', refuse: ['expired'] }));
    expect(view.apply(Buffer.from(text))).toMatch(/./);
    expect(view.of('').refused).toEqual(new Set(['expired']));
  },
);
