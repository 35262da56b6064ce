import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { ProblemError } from '../http/problem.ts';

/** Queries of one person that run at one time. */
export const AT_ONCE_MAX = 2;
/** Queries of one person in an hour, in each process. */
export const PER_HOUR_MAX = 600;

/** Lets each person ask so many questions at once and in an hour, so that one can't take the engine from the others. */
export interface Turns {
  /** @throws {ProblemError} `too_many_requests`, with how long to wait */
  take<Value>(person: string, work: () => Promise<Value>): Promise<Value>;
}

export function createTurns({ atOnceMax = AT_ONCE_MAX, perHourMax = PER_HOUR_MAX } = {}): Turns {
  const hourly = new RateLimiterMemory({ points: perHourMax, duration: 3_600 });
  const running = new Map<string, number>();
  return {
    async take(person, work) {
      const now = running.get(person) ?? 0;
      if (now >= atOnceMax) {
        const detail = `You have ${atOnceMax} queries running: wait for one of them, or cancel it.`;
        throw new ProblemError('too_many_requests', detail, [], { 'retry-after': '1' });
      }
      // Counted before anything is awaited, so that many at once see each other.
      running.set(person, now + 1);
      try {
        await hourly.consume(person).catch((error: unknown) => {
          if (!(error instanceof RateLimiterRes)) throw error;
          const seconds = Math.max(1, Math.ceil(error.msBeforeNext / 1_000));
          const detail = `You asked ${perHourMax} queries within an hour; the next is possible in ${seconds} s.`;
          throw new ProblemError('too_many_requests', detail, [], { 'retry-after': String(seconds) });
        });
        return await work();
      } finally {
        const left = running.get(person)! - 1;
        if (left === 0) running.delete(person);
        else running.set(person, left);
      }
    },
  };
}
