import { DAY_MS, HOUR_MS, isWorkday, localHourMs, MINUTE_MS } from './calendar.ts';
import { addressIn, ABROAD, CI_NETWORKS, CLOUD } from './networks.ts';
import { homeAddress, ORG, REPOS, type Holder, type Key, type Person } from './organisation.ts';
import { randomOf, type Random } from './random.ts';
import type { Collector, MakeEvent, Model, SimItem } from './traffic.ts';

/** What the world is like on one day. */
export interface Day {
  seed: number;
  dayMs: number;
  /** Day of the simulation, 0 for the first; below it while baselines are learned. */
  index: number;
}

/** Which key a holder uses at an instant; rotations change it. */
export type KeyAt = (holder: Holder, atMs: number, user: string) => Key;

/** Where somebody is on a day: the address of their first and of their later work. */
function addressesOf({ seed, dayMs }: Day, person: Person, random: Random): (atMs: number) => string {
  // Trips last some days; the week that one falls into is drawn once a fortnight and person.
  const fortnight = Math.floor(dayMs / (14 * DAY_MS));
  const trip = randomOf('trip', seed, person.email, fortnight);
  const dayOfFortnight = Math.floor(dayMs / DAY_MS) % 14;
  const tripStart = trip.int(0, 10);
  if (trip.chance(0.12) && dayOfFortnight >= tripStart && dayOfFortnight < tripStart + 4) {
    const hotel = addressIn(trip.pick(ABROAD), trip);
    // Whoever is used to the VPN uses it abroad.
    return () => (person.vpnShare > 0 ? person.site.vpn : hotel);
  }
  const atHome = random.chance(person.homeShare);
  const usual = atHome
    ? random.chance(person.vpnShare)
      ? person.site.vpn
      : homeAddress(seed, person, dayMs)
    : person.site.office;
  if (!random.chance(person.mobileShare)) return () => usual;
  const mobileFrom = localHourMs(dayMs, random.between(person.from, person.to), person.site);
  const mobile = addressIn(person.site.mobile, random);
  return (atMs) => (atMs >= mobileFrom && atMs < mobileFrom + HOUR_MS ? mobile : usual);
}

/** Releases of agents: everybody has the next one within some days. */
function versionOf(agent: string, dayMs: number, random: Random): string {
  const week = Math.floor((dayMs / DAY_MS - random.int(0, 3)) / 7);
  return `${agent === 'codex' ? 0 : 2}.${week % 200}.0`;
}

/** What a person does with a key on a day. */
export function personsDay(
  day: Day,
  person: Person,
  holder: Holder,
  share: number,
  make: MakeEvent,
  keyAt: KeyAt,
): SimItem[] {
  const random = randomOf('day', day.seed, day.dayMs, person.email, holder.name);
  const { dayMs } = day;
  if (person.joinedMs > dayMs + DAY_MS) return [];
  const away = randomOf('away', day.seed, person.email, Math.floor(dayMs / (7 * DAY_MS))).chance(0.06);
  if (away || (!isWorkday(dayMs, person.site) && !random.chance(person.weekendShare))) return [];
  const addressAt = addressesOf(day, person, randomOf('place', day.seed, dayMs, person.email));
  const growth = 1.006 ** Math.max(0, day.index);
  const sessions = random.poisson(person.sessionsPerDay * share * growth);
  const repos = reposOf(day, person);
  const items: SimItem[] = [];
  for (let index = 0; index < sessions; index++) {
    const repo = random.pick(repos);
    const agent = random.chance(0.93) ? person.agents[0]! : person.agents.at(-1)!;
    const version = versionOf(agent, dayMs, random);
    const session = random.text('0123456789abcdef', 16);
    const model = random.chance(0.85) ? person.models[0]! : random.pick(person.models);
    let atMs = localHourMs(dayMs, random.between(person.from, person.to - 0.5), person.site);
    if (atMs < person.joinedMs + HOUR_MS * 2) continue;
    const calls = Math.max(2, Math.round(random.spread(person.callsPerSession, 0.6)));
    for (let call = 0; call < calls; call++) {
      const key = keyAt(holder, atMs, person.email);
      items.push(
        make({
          atMs,
          fingerprint: key.fingerprint,
          hint: key.hint,
          org: ORG,
          model,
          agent,
          agentVersion: version,
          collector: collectorOf(person),
          environment: holder.environment,
          user: person.email,
          ip: addressAt(atMs),
          host: person.host,
          session,
          repo,
          branch: 'main',
        }),
      );
      atMs += random.spread(35_000, 1);
    }
  }
  return items;
}

/** Repositories of a person: now and then one more. */
function reposOf({ seed, dayMs }: Day, person: Person): string[] {
  const month = randomOf('repos', seed, person.email, Math.floor(dayMs / (30 * DAY_MS)));
  return month.chance(0.4) ? [...person.repos, month.pick(REPOS)] : person.repos;
}

export function collectorOf({ site }: Person): Collector {
  return site.name === 'new-york' ? 'agents-us' : 'agents-eu';
}

/** Builds through a working day, each on a fresh machine of the CI provider. */
export function ciDay({ seed, dayMs, index }: Day, holder: Holder, make: MakeEvent, keyAt: KeyAt): SimItem[] {
  const random = randomOf('ci', seed, dayMs, holder.name);
  const stable = randomOf('ci', seed, holder.name);
  const repos = stable.some(REPOS, 4);
  const model = stable.pick<Model>(['claude-sonnet-4-6', 'claude-haiku-4-5']);
  const busy = isWorkday(dayMs, { zone: 'UTC', country: 'DE' }) ? 1 : 0.1;
  const items: SimItem[] = [];
  for (let run = random.poisson(holder.rate * busy * 1.006 ** Math.max(0, index)); run > 0; run--) {
    let atMs = dayMs + random.between(7, 20) * HOUR_MS;
    const key = keyAt(holder, atMs, '');
    const ip = addressIn(random.pick(CI_NETWORKS), random);
    const session = `run-${random.text('0123456789abcdef', 10)}`;
    const repo = random.pick(repos);
    for (let call = random.int(3, 12); call > 0; call--) {
      items.push(
        make({
          atMs,
          ...{ fingerprint: key.fingerprint, hint: key.hint, org: ORG, model, repo, session, ip },
          agent: 'claude-code',
          agentVersion: versionOf('claude-code', dayMs, stable),
          collector: 'ci',
          environment: holder.environment,
          host: `runner-${session.slice(-6)}`,
          branch: `build-${run}`,
        }),
      );
      atMs += random.spread(12_000, 0.8);
    }
  }
  return items;
}

/** A nightly job on one server. */
export function batchDay({ seed, dayMs, index }: Day, holder: Holder, make: MakeEvent, keyAt: KeyAt): SimItem[] {
  const random = randomOf('batch', seed, dayMs, holder.name);
  const stable = randomOf('batch', seed, holder.name);
  const hour = stable.int(0, 5);
  const repo = stable.pick(REPOS);
  const model = stable.pick<Model>(['claude-haiku-4-5', 'gpt-5-mini', 'gemini-2.5-pro']);
  // One run in forty fails at once, and one in forty has a backlog to work off.
  const load = random.chance(0.025) ? 0.05 : random.chance(0.025) ? 1.8 : 1;
  const calls = Math.round(random.normal(holder.rate, holder.rate * 0.06) * load * 1.004 ** Math.max(0, index));
  let atMs = dayMs + hour * HOUR_MS + random.between(0, 2) * MINUTE_MS;
  const items: SimItem[] = [];
  for (let call = 0; call < calls; call++) {
    const key = keyAt(holder, atMs, '');
    items.push(
      make({
        atMs,
        ...{ fingerprint: key.fingerprint, hint: key.hint, org: ORG, model, repo },
        agent: 'anthropic-sdk-python',
        collector: 'gateway',
        environment: holder.environment,
        ip: CLOUD.batch,
        host: `batch-${stable.int(1, 4)}`,
        session: `${holder.name}-${new Date(dayMs).toISOString().slice(0, 10)}`,
      }),
    );
    atMs += random.spread(6_000, 0.5);
  }
  return items;
}

/** A service that answers customers around the clock. */
export function serviceDay({ seed, dayMs, index }: Day, holder: Holder, make: MakeEvent, keyAt: KeyAt): SimItem[] {
  const random = randomOf('service', seed, dayMs, holder.name);
  const stable = randomOf('service', seed, holder.name);
  const model = stable.pick<Model>(['claude-haiku-4-5', 'claude-sonnet-4-6', 'gpt-5-mini']);
  const weekend = isWorkday(dayMs, { zone: 'UTC', country: 'DE' }) ? 1 : 0.6;
  const items: SimItem[] = [];
  for (let hour = 0; hour < 24; hour++) {
    const wave = 0.6 + 0.4 * Math.sin(((hour - 8) / 24) * 2 * Math.PI);
    for (let call = random.poisson(holder.rate * wave * weekend * 1.008 ** Math.max(0, index)); call > 0; call--) {
      const atMs = dayMs + (hour + random.next()) * HOUR_MS;
      const key = keyAt(holder, atMs, '');
      items.push(
        make({
          atMs,
          ...{ fingerprint: key.fingerprint, hint: key.hint, org: ORG, model },
          agent: 'northwind-assistant',
          collector: 'gateway',
          environment: holder.environment,
          ip: random.pick(CLOUD.production),
          host: `assistant-${random.int(1, 3)}`,
          size: 0.3,
        }),
      );
    }
  }
  return items;
}
