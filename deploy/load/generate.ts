import type { UsageEventInput } from '@lanewatch/ingest/contract';
import type { Key } from './key.ts';
import { organisationOf, type Organisation } from './organisation.ts';
import { randomOf } from './random.ts';
import { representativeEvents, signsOfLife } from './representative.ts';
import { eventsOf, runOf } from './session.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** No run is longer: what began earlier than this before a day can't reach into it. */
const RUN_DAYS_MAX = 1;
const WEEKEND_SHARE_PEOPLE = 0.25;
const WEEKEND_SHARE_MACHINES = 0.7;

export interface GenerateOptions {
  seed: number;
  /** Epoch milliseconds, included. */
  from: number;
  /** Epoch milliseconds, excluded. */
  to: number;
  /** The moment the story is told at: incidents are live then. Epoch milliseconds. */
  anchor: number;
}

/**
 * The events of the invented organisation in a window, oldest first. Pure: what an event is follows from seed and anchor
 * alone, so windows that touch give the same events as one window over both, and nothing twice.
 */
export function* generateEvents(options: GenerateOptions): Generator<UsageEventInput> {
  const { seed, from, to, anchor } = options;
  if (!(from <= to)) throw new RangeError('from must not lie after to');
  const organisation = organisationOf(seed);
  const inWindow = (time: number) => time >= from && time < to;
  let waiting: Timed[] = timed(representativeEvents(organisation, anchor)).filter(({ time }) => inWindow(time));
  for (let day = dayOf(from) - RUN_DAYS_MAX; day <= dayOf(to); day += 1) {
    const end = (day + 1) * DAY_MS;
    waiting.push(
      ...timed(dayEvents(organisation, day)).filter(({ time }) => inWindow(time)),
      ...timed(signsOfLife(organisation, anchor, Math.max(from, day * DAY_MS), Math.min(to, end))),
    );
    waiting.sort((a, b) => a.time - b.time || (a.event.id < b.event.id ? -1 : 1));
    const due = waiting.findIndex(({ time }) => time >= end);
    const ready = due === -1 ? waiting : waiting.slice(0, due);
    waiting = due === -1 ? [] : waiting.slice(due);
    for (const { event } of ready) yield event;
  }
  for (const { event } of waiting) yield event;
}

interface Timed {
  time: number;
  event: UsageEventInput;
}

function timed(events: UsageEventInput[]): Timed[] {
  return events.map((event) => ({ time: Date.parse(event.time), event }));
}

function dayOf(timeMs: number): number {
  return Math.floor(timeMs / DAY_MS);
}

/** What begins on one day (UTC), all keys. */
function dayEvents(organisation: Organisation, day: number): UsageEventInput[] {
  return organisation.keys.flatMap((key) => keyDayEvents(organisation.seed, key, day));
}

function keyDayEvents(seed: number, key: Key, day: number): UsageEventInput[] {
  if (key.sessionsPerDay === 0) return [];
  const random = randomOf('day', seed, key.label, day);
  const weekday = new Date(day * DAY_MS).getUTCDay();
  const weekend = weekday === 0 || weekday === 6;
  const share = !weekend ? 1 : key.aroundTheClock ? WEEKEND_SHARE_MACHINES : WEEKEND_SHARE_PEOPLE;
  const sessions = Math.round(random.around(key.sessionsPerDay * share, 0.25));
  const offsetHours = key.people[0]?.utcOffsetHours ?? 0;
  return Array.from({ length: sessions }, (_unused, index) => {
    // People begin between nine and five where they are, with the odd late evening.
    const hour = key.aroundTheClock
      ? random.next() * 24
      : random.chance(0.1)
        ? 19 + random.next() * 4
        : 9 + random.next() * 8;
    const start = day * DAY_MS + (key.aroundTheClock ? hour : Math.max(0, hour - offsetHours)) * HOUR_MS;
    const name = `${key.label.toLowerCase().replaceAll(' ', '-')}-${day}-${index}`;
    const run = runOf(random, key, name, start);
    const latest = start + RUN_DAYS_MAX * DAY_MS;
    return eventsOf(seed, key, { ...run, requests: run.requests.filter(({ time }) => time < latest) });
  }).flat();
}
