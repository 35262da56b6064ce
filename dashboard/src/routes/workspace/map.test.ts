import type { LaneDetail } from '@lanewatch/query-api/contract';
import { expect, it } from 'vitest';
import { laneDetailOf } from '../../../e2e/answers.ts';
import { fingerprintFor, organisation } from '../../../e2e/organisation.ts';
import { mapOf } from './map.ts';

const NOW_MS = Date.parse('2026-11-21T12:00:00Z');
const detail = laneDetailOf(organisation(NOW_MS), fingerprintFor('sk-ant-...C001'), '7d', NOW_MS)!;
const entry = { id: 'cred-1', name: 'CI', owner: 'ada', sharing: 'team' } as const;

it.each<[string, LaneDetail['credential'], LaneDetail['response_path']['credential_actions'], string | null]>([
  ['an unknown key', null, ['register'], '#acts'],
  ['a known key', { ...entry, kind: 'registered' }, ['revoke'], '#acts'],
  ['a key that only its provider can end', null, [], null],
  ['a revoked key of a provider', { ...entry, kind: 'registered' }, [], null],
  ['a revoked key of our own', { ...entry, kind: 'managed' }, [], null],
])('the last step of the response path points at the bar where it has the act: %s', (_, credential, actions, href) => {
  const lane = { ...detail, credential, response_path: { ...detail.response_path, credential_actions: actions } };
  const last = mapOf(lane)
    .find(({ id }) => id === 'response')!
    .nodes.at(-1)!;
  expect(last.href).toBe(href);
  expect(last.note === 'the bar above').toBe(href !== null);
  expect(/rotate or revoke|register or revoke/.test(last.label)).toBe(href !== null);
});
