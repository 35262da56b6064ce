import type { LaneDetail } from '@lanewatch/query-api/contract';
import { expect, test } from 'vitest';
import { wideningOf } from './widening.ts';

const node = (value: string, day: number) => ({ value, first_seen: `2026-11-0${day}T00:00:00.000Z` });
const laneOf = (users: ReturnType<typeof node>[], count: number, repos: ReturnType<typeof node>[]) =>
  ({
    ...{ users: count, endpoints: 0, agents: 0, repos: repos.length, models: 0 },
    observed_with: { users, endpoints: [], agents: [] },
    usage_context: { repos, models: [], sessions: [] },
  }) as unknown as LaneDetail;

test('a lane widens with every second and further value, newest first; its first ones widen nothing', () => {
  const lane = laneOf([node('ben', 3), node('ana', 1)], 2, [node('web', 4), node('api', 2)]);
  expect(wideningOf(lane, null).map(({ kind, value, count }) => `${kind} ${count}: ${value}`)).toEqual([
    'repo 2: web',
    'user 2: ben',
  ]);
});

test('values that are not listed count as those before the listed ones', () => {
  const lane = laneOf([node('ben', 3), node('ana', 1)], 60, []);
  expect(wideningOf(lane, null).map(({ value, count }) => `${value} ${count}`)).toEqual(['ben 60', 'ana 59']);
});

test('what the lane was seen with before the window is not new in it; a first value after others is', () => {
  const lane = laneOf([node('ben', 3), node('ana', 1)], 2, [node('web', 4)]);
  const before = { user: ['ana', 'cleo'], repo: ['api'], endpoint: [], agent: [], model: [] };
  expect(wideningOf(lane, before).map(({ value, count }) => `${value} ${count}`)).toEqual(['web 1', 'ben 2']);
});
