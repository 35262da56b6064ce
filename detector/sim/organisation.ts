import { credentialRecordSchema, fingerprintOf, hintOf, type CredentialRecord } from '@lanewatch/ingest/contract';
import { DAY_MS, HOUR_MS } from './calendar.ts';
import { addressIn, SITES, type Site } from './networks.ts';
import { randomOf, type Random } from './random.ts';
import { COLLECTORS, type Model } from './traffic.ts';

export const ORG = 'northwind';
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const TEAMS = ['platform', 'payments', 'search', 'mobile', 'data', 'security'] as const;
const FIRST =
  'ada bo chidi dana eli farah goran hana ines jun kofi lena mads nia olek priya quinn rosa sami tuva'.split(' ');
const LAST =
  'abel brandt costa dahl eze fischer garcia holm ito jansen kaur lund moreau novak okoro park rossi silva'.split(' ');
export const REPOS = (
  'api-gateway billing checkout crawler data-lake design-system docs edge-proxy fraud-model identity infra ios-app ' +
  'ledger-sync notifications pipelines ranking web webhooks search-index mobile-core'
)
  .split(' ')
  .map((name) => `northwind/${name}`);

export interface Person {
  email: string;
  team: string;
  site: Site;
  host: string;
  /** When they start and stop, local hours. */
  from: number;
  to: number;
  sessionsPerDay: number;
  callsPerSession: number;
  /** How often they work from home, use the VPN there, work at weekends, work from a phone's network for a while. */
  homeShare: number;
  vpnShare: number;
  weekendShare: number;
  mobileShare: number;
  repos: string[];
  agents: string[];
  models: Model[];
  /** When they joined; 0 for those who were there. */
  joinedMs: number;
}

/** One secret, and the registry's record of it. */
export interface Key {
  record: CredentialRecord;
  fingerprint: string;
  hint: string;
}

/** A key with what uses it. */
export interface Holder {
  key: Key;
  people: Person[];
  kind: 'personal' | 'team' | 'ci' | 'batch' | 'service' | 'unused';
  /** Distinguishes machines. */
  name: string;
  /** Calls per run, or per hour. */
  rate: number;
  environment: CredentialRecord['environment'];
}

export interface Organisation {
  seed: number;
  startMs: number;
  people: Person[];
  holders: Holder[];
  collectors: CredentialRecord[];
}

/** The organisation of a seed, as it is when the simulation starts. */
export function organisationOf(seed: number, startMs: number, peopleCount: number): Organisation {
  const random = randomOf('organisation', seed);
  const people = Array.from({ length: peopleCount }, (_unused, index) => personOf(random, index, 0));
  const make = keyMaker(seed, startMs);
  const holders: Holder[] = people.map((person) => personal(make, random, person));
  const share = (of: number) => Math.max(2, Math.round(peopleCount / of));
  for (let index = 0; index < share(14); index++) holders.push(team(make, random, people, index));
  const machine = (kind: 'ci' | 'batch' | 'service' | 'unused', count: number, rate: () => number) => {
    for (let index = 0; index < count; index++) {
      const name = `${kind}-${index + 1}`;
      const environment =
        kind === 'service'
          ? 'production'
          : kind === 'batch'
            ? random.pick(['production', 'staging'] as const)
            : 'development';
      holders.push({
        key: make(name, random, { owner: `svc-${name}`, owner_kind: 'service_account', environment }),
        people: [],
        kind,
        name,
        rate: rate(),
        environment,
      });
    }
  };
  machine('ci', share(18), () => random.int(8, 30));
  machine('batch', share(14), () => random.int(80, 320));
  machine('service', share(16), () => random.int(6, 28));
  machine('unused', share(10), () => 0);
  return { seed, startMs, people, holders, collectors: collectorsOf(startMs) };
}

/** Somebody who works here. */
export function personOf(random: Random, index: number, joinedMs: number): Person {
  const round = Math.floor(index / FIRST.length);
  const last = LAST[((index % FIRST.length) * 7 + round) % LAST.length]!;
  // Nobody has the name of another: their key would be the other's.
  const name = `${FIRST[index % FIRST.length]!}.${last}${round < LAST.length ? '' : round}`;
  const from = random.normal(9, 0.8);
  const models: Model[] = random.chance(0.75)
    ? random.some(['claude-sonnet-4-6', 'claude-opus-4-6', 'claude-haiku-4-5'] as const, random.int(1, 3))
    : ['gpt-5.1-codex', 'gpt-5-mini'];
  const agents = models[0]!.startsWith('gpt') ? ['codex'] : ['claude-code'];
  if (random.chance(0.15)) agents.push('zed');
  return {
    email: `${name}@northwind.example`,
    team: TEAMS[index % TEAMS.length]!,
    site: random.pick(SITES),
    host: `${name.replace('.', '-')}-mbp`,
    from,
    to: from + random.normal(8.5, 0.7),
    sessionsPerDay: random.spread(3, 0.4),
    callsPerSession: random.spread(22, 0.4),
    homeShare: random.pick([0, 0.2, 0.4, 0.8, 1]),
    vpnShare: random.pick([0, 0, 0.5, 1]),
    weekendShare: random.chance(0.15) ? 0.3 : 0.02,
    mobileShare: random.chance(0.2) ? 0.06 : 0.005,
    repos: random.some(REPOS, random.int(2, 5)),
    agents,
    models,
    joinedMs,
  };
}

export type MakeKey = (label: string, random: Random, fields?: Partial<CredentialRecord>) => Key;

/** Makes keys that a seed and a label decide, registered some time before the simulation starts. */
export function keyMaker(seed: number, startMs: number): MakeKey {
  return (label, random, fields = {}) => {
    const secret = `sk-ant-api03-${randomOf('secret', seed, label).text(BASE62, 93)}AA`;
    const fingerprint = fingerprintOf(secret);
    const hint = hintOf(secret);
    const createdMs = startMs - random.int(40, 400) * DAY_MS;
    const record = credentialRecordSchema.parse({
      id: `cred-${label}`,
      fingerprint,
      hint,
      name: label,
      kind: 'registered',
      provider: 'anthropic',
      org: ORG,
      status: 'active',
      created_at: new Date(createdMs).toISOString(),
      expires_at: new Date(startMs + random.int(200, 600) * DAY_MS).toISOString(),
      version: 1,
      ...fields,
    });
    return { record, fingerprint, hint };
  };
}

/** A key of one person, named for what it is. */
export function personal(make: MakeKey, random: Random, person: Person, label = person.email): Holder {
  const key = make(label, random, {
    owner: person.email,
    owner_kind: 'person',
    team: person.team,
    environment: 'development',
    ...(person.joinedMs > 0 ? { created_at: new Date(person.joinedMs).toISOString() } : {}),
  });
  return { key, people: [person], kind: 'personal', name: person.email, rate: 0, environment: 'development' };
}

function team(make: MakeKey, random: Random, people: Person[], index: number): Holder {
  const members = random.some(people, random.int(3, 7));
  const key = make(`team-${index + 1}`, random, {
    owner: members[0]!.email,
    owner_kind: 'person',
    team: members[0]!.team,
    environment: 'staging',
    sharing: 'team',
    people_declared: members.length,
  });
  return { key, people: members, kind: 'team', name: `team-${index + 1}`, rate: 0, environment: 'staging' };
}

function collectorsOf(startMs: number): CredentialRecord[] {
  const random = randomOf('collectors');
  return Object.keys(COLLECTORS).map((name) => ({
    ...keyMaker(0, startMs)(`collector ${name}`, random).record,
    id: `collector-${name}`,
    name,
    kind: 'managed',
    provider: 'lanewatch',
    scopes: [{ action: 'write', resource: 'usage-events' }],
    created_at: new Date(startMs - 100 * DAY_MS).toISOString(),
  }));
}

/** The address of a person's home while they have that one: providers give another now and then, mostly in the same network. */
export function homeAddress(seed: number, person: Person, dayMs: number): string {
  const home = randomOf('home', seed, person.email);
  const prefix = home.pick(person.site.homes);
  const everyDays = home.pick([1000, 1000, 21, 7]);
  const lease = Math.floor((dayMs / DAY_MS + home.int(0, 20)) / everyDays);
  return addressIn(prefix, randomOf('lease', seed, person.email, lease));
}

/** How long after a rotation the old secret still counts. */
export const GRACE_MS = 72 * HOUR_MS;
