import type { Overview } from '@lanewatch/query-api/contract';
import { describe, expect, it } from 'vitest';
import { organisation } from '../../e2e/organisation.ts';
import { overviewOf } from '../../e2e/answers.ts';
import { bannerStateOf, bannerTitle } from './banner.ts';

const NOW_MS = Date.parse('2026-11-21T12:00:00Z');
const overview = overviewOf(organisation(NOW_MS), '7d', NOW_MS);
const calm: Overview = { ...overview, banner: [], unknown_lanes: 0, doubtful_lanes: 0, retired_lanes: 0 };

describe('bannerStateOf', () => {
  it('is risk as soon as one lane is unknown', () => {
    expect(bannerStateOf(overview)).toBe('risk');
    expect(bannerStateOf({ ...calm, unknown_lanes: 1 })).toBe('risk');
    expect(bannerStateOf({ ...calm, retired_lanes: 1 })).toBe('risk');
  });

  it('is doubt while a lane is ambiguous', () => {
    expect(bannerStateOf({ ...calm, doubtful_lanes: 2 })).toBe('doubt');
  });

  it('never says all is well when nothing was received', () => {
    expect(bannerStateOf({ ...calm, events: 0 })).toBe('blind');
  });

  it('never says all is well when no event names a key', () => {
    const nameless = { ...calm, keys_observed: 0, known_lanes: 0, unattributed_events: calm.events };
    expect(bannerStateOf(nameless)).toBe('unnamed');
    expect(bannerTitle(nameless)).toBe('No event names its key');
  });

  it('is calm when every key that was used is known, and claims no more than events say', () => {
    expect(bannerStateOf(calm)).toBe('calm');
    expect(bannerTitle(calm)).toBe('Every key in use is registered');
    expect(bannerTitle({ ...calm, unattributed_events: 1 })).toBe('Every key that events name is registered');
  });
});

it('counts unknown keys apart from retired ones, also those that the banner has no room for', () => {
  expect(bannerTitle({ ...overview, banner: overview.banner.slice(0, 1) })).toBe(
    '1 unknown API key, 2 revoked or expired',
  );
  expect(bannerTitle({ ...overview, retired_lanes: 0 })).toBe('1 unknown API key');
  expect(bannerTitle({ ...overview, unknown_lanes: 0 })).toBe('2 revoked or expired API keys in use');
});
