import type { Model } from './prices.ts';

export interface Person {
  email: string;
  team: string;
  /** Hours ahead of UTC where this person works. */
  utcOffsetHours: number;
  ip: string;
  host: string;
}

/** How a key comes to be known, or not, in the registry. */
export type Registration =
  | { kind: 'fingerprint' }
  | { kind: 'hint' }
  | { kind: 'none' }
  /** Registered, then revoked when the story begins, and used all the same. */
  | { kind: 'revoked' }
  /** Registered with an end shortly after the story begins. */
  | { kind: 'expiring' };

export interface AgentName {
  name: string;
  version: string;
}

/** One key of the invented organisation and the habits of those who use it. */
export interface Key {
  label: string;
  /** Invented; never sent. */
  secret: string;
  fingerprint: string;
  hint: string;
  /** What its events carry: some senders know only the hint. */
  identifiedBy: 'fingerprint' | 'hint';
  org: string;
  owner: string;
  team: string;
  environment: 'development' | 'staging' | 'production';
  sharing: 'personal' | 'team';
  peopleDeclared: number;
  registration: Registration;
  people: Person[];
  agent: AgentName;
  models: Model[];
  repos: string[];
  /** Mean number of runs on a working day. */
  sessionsPerDay: number;
  /** Median number of requests in a run. */
  requestsPerSession: number;
  /** Machines work around the clock; people do not. */
  aroundTheClock: boolean;
}

/** Makes a key with plausible habits where nothing else is said. */
export type MakeKey = (label: string, fields: Partial<Key> & Pick<Key, 'people' | 'agent' | 'models'>) => Key;
