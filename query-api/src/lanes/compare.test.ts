import { expect, test } from 'vitest';
import { nearestOf } from './compare.ts';
import type { Candidate } from './compare.ts';

const node = (value: string) => ({ value, events: 1, cost_usd: '0', first_seen: '', last_seen: '' });
const candidate = (lane: string, uses: Partial<Candidate['uses']>): Candidate => ({
  ...{ lane, hint: lane, name: lane, standing: 'known', sessions: 1, cost_usd: '0' },
  uses: { user: [], repo: [], endpoint: [], agent: [], org: [], provider: [], ...uses },
});
const LANE = { lane: 'own', org: 'acme', provider: 'anthropic' };
const TOPOLOGY = {
  observed_with: {
    users: [node('ana')],
    endpoints: [{ ...node('10.0.0.1'), column: 'ip' as const }],
    agents: [node('codex')],
  },
  usage_context: { models: [], repos: [node('acme/api')], sessions: [] },
};

test('keys that serve the same people and repositories are nearer than those of the same seller, and the lane is not beside itself', () => {
  const near = nearestOf(LANE, TOPOLOGY, [
    candidate('own', { user: ['ana'] }),
    candidate('seller', { provider: ['anthropic'] }),
    candidate('colleague', { repo: ['acme/web', 'acme/api'], endpoint: ['10.0.0.9'], org: ['acme'] }),
    candidate('person', { user: ['ana'], repo: ['acme/api'] }),
  ]);
  expect(near.map(({ lane }) => lane)).toEqual(['person', 'colleague', 'seller']);
  expect(near[1]).toMatchObject({
    same: [
      { what: 'repo', value: 'acme/api' },
      { what: 'org', value: 'acme' },
    ],
    differs: [{ what: 'endpoint', value: '10.0.0.9' }],
  });
});

test('nothing is said of what either does not name', () => {
  const [other] = nearestOf({ ...LANE, org: '' }, TOPOLOGY, [candidate('other', { org: ['acme'] })]);
  expect(other).toMatchObject({ same: [], differs: [{ what: 'org', value: 'acme' }] });
});
