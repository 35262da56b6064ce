import { DAY_MS, HOUR_MS } from './calendar.ts';
import { batchDay, ciDay, personsDay, serviceDay, type Day, type KeyAt } from './habits.ts';
import { changed, iso, type Incident } from './incident-plan.ts';
import { incidentsOf } from './incidents.ts';
import type { Label } from './label.ts';
import { CLOUD } from './networks.ts';
import { GRACE_MS, keyMaker, organisationOf, personal, personOf, type Holder, type Key } from './organisation.ts';
import { randomOf } from './random.ts';
import { eventMaker, type SimItem } from './traffic.ts';

export interface SimulationOptions {
  seed: number;
  /** Days with labelled incidents, behind the days in which baselines are learned. */
  days: number;
  /** Days of ordinary traffic before them. */
  learnDays: number;
  people: number;
}

export interface Simulation {
  labels: Label[];
  /** The scored time. */
  fromMs: number;
  toMs: number;
  /** Everything in the order in which it would be received. Made day by day, so that months fit into memory. */
  items(): Generator<SimItem>;
}

/** First day of the earliest simulation; the seed moves it through the year, so that holidays and summer time have their part. */
const EPOCH_MS = Date.UTC(2026, 0, 5);

interface Rotation {
  holder: Holder;
  atMs: number;
  next: Key;
  /** When each user goes over to the new secret. */
  switchMs: (user: string) => number;
}

/** The organisation of a seed at work: the same items, labels and order every time. */
export function simulate({ seed, days, learnDays, people }: SimulationOptions): Simulation {
  const startMs = EPOCH_MS + randomOf('start', seed).int(0, 330) * DAY_MS;
  const fromMs = startMs + learnDays * DAY_MS;
  const toMs = fromMs + days * DAY_MS;
  const organisation = organisationOf(seed, startMs, people);
  bindNetworks(organisation.holders);
  const hired = hire(seed, startMs, toMs, people);
  organisation.holders.push(...hired);
  const incidents = incidentsOf(organisation, fromMs, toMs);
  const rotations = rotationsOf(seed, startMs, toMs, organisation.holders, incidents);

  const keyAt: KeyAt = (holder, atMs, user) => {
    const rotation = rotations.get(holder);
    return rotation !== undefined && atMs >= rotation.switchMs(user) ? rotation.next : holder.key;
  };
  const makers = new Map(
    organisation.holders.map((holder) => [holder, eventMaker(holder.name, randomOf('events', seed, holder.name))]),
  );

  function* ordinary(day: Day): Generator<SimItem> {
    for (const holder of organisation.holders) {
      const make = makers.get(holder)!;
      switch (holder.kind) {
        case 'personal':
        case 'team':
          for (const person of holder.people)
            yield* personsDay(day, person, holder, holder.kind === 'team' ? 0.25 : 1, make, keyAt);
          break;
        case 'ci':
          yield* ciDay(day, holder, make, keyAt);
          break;
        case 'batch':
          yield* batchDay(day, holder, make, keyAt);
          break;
        case 'service':
          yield* serviceDay(day, holder, make, keyAt);
          break;
        case 'unused':
      }
    }
    yield* mistyped(day);
  }

  /** Somebody pastes half a key: refused, and never seen again. */
  function* mistyped({ dayMs }: Day): Generator<SimItem> {
    const random = randomOf('mistyped', seed, dayMs);
    if (!random.chance(0.4)) return;
    const person = random.pick(organisation.people);
    const { fingerprint, hint } = keyMaker(seed, startMs)(`mistyped ${dayMs}`, random);
    const make = eventMaker(`mistyped-${dayMs}`, random);
    for (let tries = random.int(1, 3); tries > 0; tries--)
      yield make({
        atMs: dayMs + random.between(9, 16) * HOUR_MS,
        ...{ fingerprint, hint, org: '', model: 'claude-sonnet-4-6', agent: 'claude-code', outcome: 'denied' },
        collector: 'gateway',
        environment: '',
        ip: person.site.office,
      });
  }

  function* items(): Generator<SimItem> {
    const registry = [
      ...organisation.collectors.map((record) => ({ kind: 'record' as const, atMs: 0, record })),
      ...organisation.holders.map(({ key: { record } }) => ({
        kind: 'record' as const,
        atMs: Math.max(0, Date.parse(record.created_at) > startMs ? Date.parse(record.created_at) : 0),
        record,
      })),
      ...[...rotations.values()].flatMap(rotationItems),
    ];
    const extra = [...registry, ...incidents.flatMap((incident) => incident.items)].sort((a, b) => a.atMs - b.atMs);
    const losses = incidents.flatMap(({ loses }) => loses ?? []);
    let at = 0;
    let carried: SimItem[] = [];
    for (let dayMs = startMs; dayMs < toMs; dayMs += DAY_MS) {
      const endMs = dayMs + DAY_MS;
      const due = carried;
      for (; at < extra.length && extra[at]!.atMs < endMs; at++) due.push(extra[at]!);
      for (const item of ordinary({ seed, dayMs, index: Math.round((dayMs - fromMs) / DAY_MS) })) due.push(item);
      due.sort((a, b) => a.atMs - b.atMs);
      const later = due.findIndex(({ atMs }) => atMs >= endMs);
      carried = later === -1 ? [] : due.splice(later);
      for (const item of due) if (item.kind !== 'event' || !losses.some((loses) => loses(item))) yield item;
    }
  }

  return { labels: incidents.map(({ label }) => label), fromMs, toMs, items };
}

/** Half of the services may only be used from the organisation's cloud. */
function bindNetworks(holders: readonly Holder[]): void {
  holders
    .filter(({ kind }) => kind === 'service')
    .forEach(({ key }, index) => {
      if (index % 2 === 0) key.record.allowed_cidrs = CLOUD.production.map((address) => `${address}/32`);
    });
}

/** About one more person in fifty a week, each with a key that is registered hours before they use it. */
function hire(seed: number, startMs: number, toMs: number, people: number): Holder[] {
  const random = randomOf('hires', seed);
  const weeks = (toMs - startMs) / (7 * DAY_MS);
  return Array.from({ length: Math.round((people / 50) * weeks) }, (_unused, index) => {
    const joinedMs = startMs + random.int(1, Math.round(weeks * 7) - 1) * DAY_MS + 7 * HOUR_MS;
    const person = personOf(random, people + index, joinedMs);
    return personal(keyMaker(seed, joinedMs), random, person);
  });
}

/** One key in thirty is rotated, in good order: every user goes over to the new secret in the first half of the grace. */
function rotationsOf(
  seed: number,
  startMs: number,
  toMs: number,
  holders: readonly Holder[],
  incidents: readonly Incident[],
): Map<Holder, Rotation> {
  const busy = new Set(incidents.flatMap(({ label, holder }) => [...label.lanes, holder?.key.fingerprint ?? '']));
  const random = randomOf('rotations', seed);
  const rotations = new Map<Holder, Rotation>();
  for (const holder of holders) {
    if (!random.chance(1 / 30) || busy.has(holder.key.fingerprint) || holder.kind === 'unused') continue;
    const atMs = random.between(startMs, toMs - GRACE_MS);
    const { record } = holder.key;
    const next = keyMaker(seed, startMs)(`${record.name} rotated`, random);
    next.record = {
      ...record,
      fingerprint: next.fingerprint,
      hint: next.hint,
      version: record.version + 1,
    };
    const switchMs = (user: string) => atMs + randomOf('switch', seed, holder.name, user).between(0, GRACE_MS / 2);
    rotations.set(holder, { holder, atMs, next, switchMs });
  }
  return rotations;
}

function rotationItems({ holder, atMs, next }: Rotation): SimItem[] {
  return [
    { kind: 'record', atMs, record: next.record },
    changed(holder.key.record, atMs, { grace_ends_at: iso(atMs + GRACE_MS), is_current: false }),
  ];
}
