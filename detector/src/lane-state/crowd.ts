import type { LedgerRow } from '../../contract/index.ts';
import { isResolvedUser } from './people.ts';

/*
 * What goes on across lanes: which keys one address uses, and which keys one person's work runs on. Sets with times, the same in whatever
 * order events come, so that the ledger brings them back. A detector sees the lanes of its own partitions only; where several share the
 * work, each judges by its part.
 */

const DAY_MS = 24 * 3_600_000;
const ADDRESSES_MAX = 20_000;
const KEYS_PER_ADDRESS_MAX = 256;
const WORKS_MAX = 50_000;
const WORK_DAYS_MAX = 10;

/** A key that an address used: its lane, the organisation named with it, its last use. */
export interface AddressUse {
  ip: string;
  lane: string;
  org: string;
  lastMs: number;
}

/** A day on which somebody's work ran on a key. `key` is its credential, or its lane where it has none. */
export interface WorkUse {
  user: string;
  agent: string;
  repo: string;
  day: number;
  key: string;
}

/** Where somebody's work ran before the present key. */
export interface WorkBefore {
  key: string;
  days: number;
}

export interface Crowd {
  /** Takes an event in. */
  observe(row: LedgerRow): void;
  /** Uses of the observed event's address, where nobody is known behind it; null elsewhere. */
  readonly uses: ReadonlyMap<string, AddressUse> | null;
  /** Of the observed event, when it is the first of its day of somebody's work on a key that it did not run on before: the key before. */
  readonly workBefore: WorkBefore | null;
  restoreAddress(use: AddressUse): void;
  restoreWork(use: WorkUse): void;
  clear(): void;
}

/** How far back the ledger is asked for either, milliseconds. */
export const ADDRESS_HISTORY_MS = DAY_MS;
export const WORK_HISTORY_MS = 14 * DAY_MS;
/** Active days that are looked back on. */
const ACTIVE_DAYS = 7;

export function createCrowd(): Crowd {
  const addresses = new Map<string, Map<string, AddressUse>>();
  /** Days of each person's work, newest last: the keys it ran on. */
  const works = new Map<string, { day: number; keys: string[] }[]>();
  let uses: ReadonlyMap<string, AddressUse> | null = null;
  let workBefore: WorkBefore | null = null;

  function noteAddress(ip: string, lane: string, org: string, atMs: number): Map<string, AddressUse> {
    let held = addresses.get(ip);
    if (held === undefined) {
      if (addresses.size >= ADDRESSES_MAX) addresses.delete(addresses.keys().next().value!);
      addresses.set(ip, (held = new Map()));
    }
    const key = `${lane}\n${org}`;
    const use = held.get(key);
    if (use !== undefined) use.lastMs = Math.max(use.lastMs, atMs);
    else {
      if (held.size >= KEYS_PER_ADDRESS_MAX) held.delete(held.keys().next().value!);
      held.set(key, { ip, lane, org, lastMs: atMs });
    }
    return held;
  }

  /** @returns the days of this work before this one, when the key is new on this day; else null */
  function noteWork({ user, agent, repo, day, key }: WorkUse): { day: number; keys: string[] }[] | null {
    const name = `${user}\n${agent}\n${repo}`;
    let days = works.get(name);
    if (days === undefined) {
      if (works.size >= WORKS_MAX) works.delete(works.keys().next().value!);
      works.set(name, (days = []));
    }
    let place = days.length;
    while (place > 0 && days[place - 1]!.day >= day) place--;
    const held = days[place]?.day === day ? days[place]! : null;
    if (held !== null && held.keys.includes(key)) return null;
    if (held !== null) held.keys.push(key);
    else days.splice(place, 0, { day, keys: [key] });
    if (days.length > WORK_DAYS_MAX) days.shift();
    return days.filter((other) => other.day < day);
  }

  return {
    observe(row) {
      uses = null;
      workBefore = null;
      const isSomebody = isResolvedUser(row.user);
      if (row.ip !== '' && row.host === '' && !isSomebody) uses = noteAddress(row.ip, row.lane, row.org, row.seen_at);
      if (!isSomebody || row.repo === '' || row.outcome !== 'success') return;
      const { user, agent, repo } = row;
      const key = row.credential_id === '' ? row.lane : row.credential_id;
      const before = noteWork({ user, agent, repo, day: Math.floor(row.seen_at / DAY_MS), key });
      if (before === null) return;
      const lately = before.slice(-ACTIVE_DAYS);
      if (lately.some(({ keys }) => keys.includes(key))) return;
      const counts = new Map<string, number>();
      for (const { keys } of lately) for (const other of keys) counts.set(other, (counts.get(other) ?? 0) + 1);
      for (const [other, days] of counts)
        if (workBefore === null || days > workBefore.days || (days === workBefore.days && other < workBefore.key))
          workBefore = { key: other, days };
    },
    get uses() {
      return uses;
    },
    get workBefore() {
      return workBefore;
    },
    restoreAddress: ({ ip, lane, org, lastMs }) => void noteAddress(ip, lane, org, lastMs),
    restoreWork: (use) => void noteWork(use),
    clear() {
      addresses.clear();
      works.clear();
    },
  };
}
