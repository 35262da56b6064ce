import type { UsageEventInput } from '@lanewatch/ingest/contract';
import type { Key } from './key.ts';
import type { Organisation } from './organisation.ts';
import { randomOf } from './random.ts';
import { eventsOf, runOf, withCost, type Run } from './session.ts';

/**
 * The three lanes that the landing page was designed around, to the cent: `sk-ant-...A3F2` with 33 sessions and $47.20,
 * `sk-ant-...7B91` with 11 and $0.82 in the six days before the anchor, and `sk-ant-...C001`, unknown, with one session
 * of $0.61 that began 22 minutes before the anchor and goes on without cost.
 */
const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const SPREAD_MS = 6 * DAY_MS;
const LIVE_SINCE_MS = 22 * MINUTE_MS;
/** How often the live session shows that it lives; well within the half hour after which a session counts as over. */
const SIGN_OF_LIFE_MS = 2 * MINUTE_MS;
const CENT = 10_000_000;

/** Events of the representative lanes that do not depend on the end of the window. */
export function representativeEvents(organisation: Organisation, anchorMs: number): UsageEventInput[] {
  const [dev, ci, unknown] = organisation.keys as [Key, Key, Key];
  return [
    ...laneEvents(organisation.seed, dev, 33, 4_720 * CENT, anchorMs),
    ...laneEvents(organisation.seed, ci, 11, 82 * CENT, anchorMs),
    ...eventsOf(organisation.seed, unknown, liveRun(organisation.seed, unknown, anchorMs)).map(fromUnnamedEndpoint),
  ];
}

function laneEvents(
  seed: number,
  key: Key,
  sessions: number,
  totalNanoUsd: number,
  anchorMs: number,
): UsageEventInput[] {
  const random = randomOf('representative', seed, key.label);
  const shares = Array.from({ length: sessions }, () => random.around(1, 0.5));
  const sum = shares.reduce((total, share) => total + share, 0);
  let left = totalNanoUsd;
  return shares.flatMap((share, index) => {
    const cost = index === sessions - 1 ? left : Math.floor((totalNanoUsd * share) / sum);
    left -= cost;
    // The last run ends hours before the anchor, so that no event of it lies in the future.
    const start = anchorMs - SPREAD_MS + ((SPREAD_MS - DAY_MS / 4) * index) / sessions;
    const run = runOf(random, { ...key, requestsPerSession: 8, aroundTheClock: true }, `${slug(key)}-${index}`, start);
    return eventsOf(seed, key, withCost(run, cost));
  });
}

function liveRun(seed: number, key: Key, anchorMs: number): Run {
  const random = randomOf('representative', seed, key.label);
  const run = runOf(random, { ...key, requestsPerSession: 11 }, `${slug(key)}-live`, anchorMs - LIVE_SINCE_MS);
  const step = (LIVE_SINCE_MS - MINUTE_MS) / run.requests.length;
  const requests = run.requests.map((request, index) => ({
    ...request,
    time: Math.round(anchorMs - LIVE_SINCE_MS + index * step),
  }));
  return withCost({ ...run, requests }, 61 * CENT);
}

/** What the live session sends after the anchor: counting tokens is free. */
export function signsOfLife(
  organisation: Organisation,
  anchorMs: number,
  fromMs: number,
  toMs: number,
): UsageEventInput[] {
  const key = organisation.keys[2]!;
  const run = liveRun(organisation.seed, key, anchorMs);
  const template = run.requests[0]!;
  const first = Math.max(1, Math.ceil((fromMs - anchorMs) / SIGN_OF_LIFE_MS));
  const events: UsageEventInput[] = [];
  for (let n = first; anchorMs + n * SIGN_OF_LIFE_MS < toMs; n += 1) {
    const request = {
      ...template,
      time: anchorMs + n * SIGN_OF_LIFE_MS,
      tokens: { input_uncached: 0, cache_read: 0, cache_write: 0, output: 0 },
      costNanoUsd: 0,
      outcome: 'success' as const,
      statusCode: 200,
    };
    const [event] = eventsOf(organisation.seed, key, { ...run, name: `${slug(key)}-alive-${n}`, requests: [request] });
    events.push(fromUnnamedEndpoint({ ...event!, action: 'access', operation: 'count_tokens' }));
  }
  return events;
}

function fromUnnamedEndpoint(event: UsageEventInput): UsageEventInput {
  return { ...event, ip: '10.0.1.44' };
}

function slug(key: Key): string {
  return key.label.toLowerCase().replaceAll(' ', '-');
}
