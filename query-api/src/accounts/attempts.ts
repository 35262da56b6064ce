import { createHash } from 'node:crypto';
import { CompiledQuery } from 'kysely';
import { RateLimiterPostgres, RateLimiterRes } from 'rate-limiter-flexible';
import { ProblemError } from '../http/problem.ts';
import type { RegistryDatabase } from '../registry/database.ts';

const WINDOW_S = 15 * 60;
/** Wrong passwords for one account from one address, or from one device that signed in before. */
const PAIR_MAX = 8;
/** Wrong passwords from one address, whatever the account. */
const ADDRESS_MAX = 60;
/** Wrong codes and passwords inside a session, which ask again for what is at stake. */
const PERSON_MAX = 8;
/** Links and invitations that are none, an address and minute; a token has 256 bits, so this only keeps the log readable. */
const TOKEN_MISSES_MAX = 20;

/** Who tries: `device` names a device on which this account signed in before, '' for any other. */
export interface Attempt {
  ip: string;
  email: string;
  device: string;
}

/**
 * Counts attempts that fail, and refuses more of them. A failure counts against the pair of address and account, never against the
 * account alone: whoever guesses shuts out themselves. A device on which the account signed in before has a count of its own, so
 * that not even somebody at the same address shuts out its owner there. Processes share the counts: they lie in the registry's store.
 */
export function createAttempts(db: RegistryDatabase) {
  const limiter = (keyPrefix: string, points: number, duration: number) =>
    new RateLimiterPostgres({
      ...{ keyPrefix, points, duration, storeClient: storeClientOf(db), storeType: 'client' },
      ...{ tableName: 'attempts', tableCreated: true, clearExpiredByTimeout: false },
    });
  const byPair = limiter('pair', PAIR_MAX, WINDOW_S);
  const byAddress = limiter('address', ADDRESS_MAX, WINDOW_S);
  const byPerson = limiter('person', PERSON_MAX, WINDOW_S);
  const byMiss = limiter('miss', TOKEN_MISSES_MAX, 60);

  return {
    /**
     * Runs an attempt; it is taken for a failure until it has succeeded, so that many at once gain nothing.
     * @throws {ProblemError} `too_many_requests`, before the attempt
     */
    async signIn<Value>({ ip, email, device }: Attempt, attempt: () => Promise<Value>): Promise<Value> {
      const account = createHash('sha256').update(email, 'utf8').digest('base64url');
      const pair = device === '' ? `${account} ${ip}` : `${account} device ${device}`;
      await take(byPair, pair);
      if (device === '') await take(byAddress, ip);
      const value = await attempt();
      await byPair.delete(pair);
      if (device === '') await byAddress.reward(ip);
      return value;
    },
    /** The same for a person who is signed in and proves something again. */
    async prove<Value>(personId: string, attempt: () => Promise<Value>): Promise<Value> {
      await take(byPerson, personId);
      const value = await attempt();
      await byPerson.delete(personId);
      return value;
    },
    /** Counts a token that is none. One that works is not counted: nobody shuts out others by guessing. */
    async miss(ip: string): Promise<void> {
      await take(byMiss, ip);
    },
  };
}
export type Attempts = ReturnType<typeof createAttempts>;

async function take(limiter: RateLimiterPostgres, key: string): Promise<void> {
  try {
    await limiter.consume(key);
  } catch (error) {
    if (!(error instanceof RateLimiterRes)) throw error;
    const seconds = Math.max(1, Math.ceil(error.msBeforeNext / 1000));
    throw new ProblemError('too_many_requests', 'Too many attempts that failed. Wait before the next.', [], {
      'retry-after': String(seconds),
    });
  }
}

/** The library's queries go where all others of the registry go, be that a server or PGlite. */
function storeClientOf(db: RegistryDatabase) {
  return {
    async query({ text, values = [] }: { text: string; values?: unknown[] }) {
      const { rows, numAffectedRows } = await db.executeQuery(CompiledQuery.raw(text, values));
      return { rows, rowCount: Number(numAffectedRows ?? rows.length) };
    },
  };
}
