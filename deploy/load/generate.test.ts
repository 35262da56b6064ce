import { createHash } from 'node:crypto';
import { usageEventInputSchema, type UsageEventInput } from '@lanewatch/ingest/contract';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { generateEvents } from './generate.ts';
import { incidentsOf } from './incidents.ts';
import { organisationOf } from './organisation.ts';

// A week is tens of thousands of events, each looked at; a busy machine takes its time.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const ANCHOR = Date.parse('2026-11-18T15:30:00Z');
const DAY_MS = 86_400_000;
const week = { seed: 1, from: ANCHOR - 7 * DAY_MS, to: ANCHOR, anchor: ANCHOR };
const digest = (events: Iterable<UsageEventInput>) => {
  const hash = createHash('sha256');
  for (const event of events) hash.update(`${JSON.stringify(event)}\n`);
  return hash.digest('hex');
};

let events: UsageEventInput[] = [];
beforeAll(() => {
  events = [...generateEvents(week)];
});

const organisation = organisationOf(1);
const ofHint = (hint: string) => events.filter(({ credential }) => credential?.hint === hint);
const dollars = (some: UsageEventInput[]) =>
  some.reduce((total, { cost_usd }) => total + Math.round(Number(cost_usd) * 1e9), 0) / 1e9;

describe('the invented organisation', () => {
  it('has about 40 keys, 60 people and several agents', () => {
    expect(organisation.people).toHaveLength(60);
    expect(new Set(organisation.people.map(({ email }) => email)).size).toBe(60);
    expect(organisation.keys.length).toBeGreaterThanOrEqual(38);
    expect(organisation.keys.length).toBeLessThanOrEqual(44);
    expect(new Set(organisation.keys.map(({ label }) => label)).size).toBe(organisation.keys.length);
    expect(new Set(organisation.keys.map(({ fingerprint }) => fingerprint)).size).toBe(organisation.keys.length);
    expect(new Set(organisation.keys.map(({ agent }) => agent.name)).size).toBeGreaterThanOrEqual(4);
  });

  it('is the same for a seed and another for another', () => {
    expect(organisationOf(1)).toEqual(organisation);
    expect(organisationOf(2).keys[5]!.fingerprint).not.toBe(organisation.keys[5]!.fingerprint);
  });
});

describe('generated events', () => {
  it('are the same bytes for the same seed and window, and others for another seed', () => {
    const day = { ...week, from: ANCHOR - DAY_MS };
    const first = digest(generateEvents(day));
    expect(digest(generateEvents(day))).toBe(first);
    expect(digest(generateEvents({ ...day, seed: 2 }))).not.toBe(first);
  });

  it('are all valid, in order of time and inside the window', () => {
    let before = week.from;
    for (const event of events) {
      expect(usageEventInputSchema.parse(event)).toEqual(event);
      const time = Date.parse(event.time);
      expect(time).toBeGreaterThanOrEqual(before);
      expect(time).toBeLessThan(week.to);
      before = time;
    }
    expect(events.length).toBeGreaterThan(50_000);
  });

  it('have one identity each', () => {
    expect(new Set(events.map(({ source, id }) => `${source}\n${id}`)).size).toBe(events.length);
  });

  it('are the same whether a window is taken whole or in pieces', () => {
    const cuts = [ANCHOR - 1.5 * DAY_MS, ANCHOR - 0.8 * DAY_MS, ANCHOR - 10 * 60_000, ANCHOR];
    const pieces = cuts.slice(1).flatMap((to, index) => [...generateEvents({ ...week, from: cuts[index]!, to })]);
    expect(digest(pieces)).toBe(digest(events.filter(({ time }) => Date.parse(time) >= cuts[0]!)));
  });

  it('never hold a secret', () => {
    const text = events.map((event) => JSON.stringify(event)).join('\n');
    for (const { secret } of organisation.keys) expect(text.includes(secret)).toBe(false);
  });

  it('go on after the anchor, at any hour', () => {
    const night = [...generateEvents({ ...week, from: ANCHOR, to: ANCHOR + DAY_MS })];
    const hours = new Set(night.map(({ time }) => time.slice(11, 13)));
    expect(hours.size).toBe(24);
  });
});

describe('the lanes that the landing page was designed around', () => {
  it.each([
    ['sk-ant-...A3F2', 'qpoint-dev', 33, 47.2],
    ['sk-ant-...7B91', 'qpoint-ci', 11, 0.82],
    ['sk-ant-...C001', undefined, 1, 0.61],
  ])('%s has its sessions and its cost to the cent', (hint, org, sessions, cost) => {
    const lane = ofHint(hint);
    expect(new Set(lane.map(({ session }) => session)).size).toBe(sessions);
    expect(dollars(lane)).toBe(cost);
    expect(new Set(lane.map((event) => event.org))).toEqual(new Set([org]));
  });

  it('the unknown one runs from an unnamed endpoint and stays live without cost', () => {
    const lane = ofHint('sk-ant-...C001');
    expect(ANCHOR - Date.parse(lane[0]!.time)).toBe(22 * 60_000);
    expect(lane.every(({ user, host, ip }) => user === undefined && host === undefined && ip === '10.0.1.44')).toBe(
      true,
    );
    expect(lane[0]).toMatchObject({ agent: { name: 'Claude Code', version: '1.2.0' }, model: 'claude-sonnet-4-6' });
    const later = [...generateEvents({ ...week, from: ANCHOR, to: ANCHOR + 3_600_000 })].filter(
      ({ credential }) => credential?.hint === 'sk-ant-...C001',
    );
    expect(later.length).toBeGreaterThan(25);
    expect(dollars(later)).toBe(0);
    expect(new Set(later.map(({ session }) => session))).toEqual(new Set([lane[0]!.session]));
  });
});

describe('labelled incidents', () => {
  const incidents = incidentsOf(organisation);
  const keyOf = (label: string) => organisation.keys.find((key) => key.label === label)!;

  it('unknown keys are registered nowhere and in use', () => {
    for (const { key, hint } of incidents.filter(({ standing }) => standing === 'unknown')) {
      expect(keyOf(key).registration.kind).toBe('none');
      expect(ofHint(hint).length).toBeGreaterThan(0);
    }
  });

  it('the shared personal key is used by five people within a day', () => {
    const shared = incidents.find(({ rule }) => rule === 'R05')!;
    expect(keyOf(shared.key)).toMatchObject({ sharing: 'personal', peopleDeclared: 1 });
    const byDay = Map.groupBy(ofHint(shared.hint), ({ time }) => time.slice(0, 10));
    const most = Math.max(...[...byDay.values()].map((day) => new Set(day.map(({ user }) => user)).size));
    expect(most).toBeGreaterThanOrEqual(3);
  });

  it('the ambiguous hint belongs to two registered keys and comes without a fingerprint', () => {
    const ambiguous = incidents.find(({ rule }) => rule === 'R02')!;
    const twins = organisation.keys.filter(({ hint }) => hint === ambiguous.hint);
    expect(twins.map(({ registration }) => registration.kind)).toEqual(['fingerprint', 'fingerprint']);
    expect(ofHint(ambiguous.hint).some(({ credential }) => credential?.fingerprint === undefined)).toBe(true);
  });

  it('revoked and expired keys are used within the hour after the anchor', () => {
    const soon = [...generateEvents({ ...week, from: ANCHOR, to: ANCHOR + 60 * 60_000 })];
    for (const { hint } of incidents.filter(({ rule }) => rule === 'R03')) {
      expect(soon.some(({ credential }) => credential?.hint === hint)).toBe(true);
    }
  });
});
