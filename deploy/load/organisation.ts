import { fingerprintOf, hintOf } from '@lanewatch/ingest/contract';
import { FIRST, LAST, REPOS, TEAMS } from './names.ts';
import { keysOf } from './keys.ts';
import type { Key, MakeKey, Person } from './key.ts';
import type { Model } from './prices.ts';
import { randomOf, type Random } from './random.ts';

export interface Organisation {
  seed: number;
  people: Person[];
  repos: string[];
  keys: Key[];
}

const PEOPLE = 60;
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** The organisation of a seed: always the same people, repositories and keys. */
export function organisationOf(seed: number): Organisation {
  const random = randomOf('organisation', seed);
  const people = Array.from({ length: PEOPLE }, (_unused, index) => personOf(random, index));
  const repos = REPOS.map((name) => `qpoint/${name}`);
  const make = keyMaker(seed, random, people, repos);
  return { seed, people, repos, keys: keysOf(make, random, people) };
}

function personOf(random: Random, index: number): Person {
  const name =
    `${FIRST[index % FIRST.length]!}.${LAST[(index * 7 + Math.floor(index / FIRST.length)) % LAST.length]!}`.toLowerCase();
  return {
    email: `${name}@qpoint.example`,
    team: TEAMS[index % TEAMS.length]!,
    utcOffsetHours: random.pick([-7, -4, 0, 1, 1, 2, 8]),
    ip: `10.${random.int(2, 9)}.${random.int(0, 255)}.${random.int(2, 254)}`,
    host: `${name.replace('.', '-')}-laptop`,
  };
}

function keyMaker(seed: number, random: Random, people: Person[], repos: string[]): MakeKey {
  return (label, fields) => {
    const secret = secretOf(seed, label, fields.models[0]!);
    return {
      label,
      secret,
      fingerprint: fingerprintOf(secret),
      hint: hintOf(secret),
      identifiedBy: 'fingerprint',
      org: 'qpoint-dev',
      owner: fields.people.length === 1 ? fields.people[0]!.email : '',
      team: fields.people[0]?.team ?? random.pick(people).team,
      environment: 'development',
      sharing: 'personal',
      peopleDeclared: 1,
      registration: { kind: 'fingerprint' },
      repos: [random.pick(repos), random.pick(repos)],
      sessionsPerDay: 3,
      requestsPerSession: 14,
      aroundTheClock: false,
      ...fields,
    };
  };
}

/** A text in the shape of the provider's keys. */
function secretOf(seed: number, label: string, model: Model): string {
  const random = randomOf('secret', seed, label);
  if (model.startsWith('gpt')) return `sk-proj-${random.text(BASE62, 74)}`;
  if (model.startsWith('gemini')) return `AIza${random.text(BASE62, 35)}`;
  return `sk-ant-api03-${random.text(BASE62, 93)}AA`;
}
